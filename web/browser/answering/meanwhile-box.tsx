import { Alert } from '@mantine/core'
import type { ConversationJson } from '../../presenters/shapes.ts'
import { allItems, useMessages } from '../queries.ts'
import { useSpeech } from '../texts/index.tsx'
import { inboundIn, type Meanwhile } from '../use-draft.ts'

/** What happened while the answer was written: shown once, before it is sent. */
export function MeanwhileBox({
  conversation,
  meanwhile: { code, sawId },
}: {
  readonly conversation: ConversationJson
  readonly meanwhile: Meanwhile
}) {
  const { t } = useSpeech()
  const query = useMessages(conversation.id)
  const { contact, assignee } = conversation
  const said = inboundIn(allItems(query.data))
  const known = said.findIndex(({ id }) => id === sawId)
  const fresh = said.slice(0, known === -1 ? 1 : known).slice(0, 3)
  return (
    <Alert
      color="yellow"
      variant="light"
      p="xs"
      role="alert"
      className="composer-failure meanwhile"
      title={t(`answer.${code}`, { name: contact.name, colleague: assignee?.name ?? t('answer.nobody') })}
    >
      {code === 'newer_message' &&
        fresh.reverse().map(({ id, text }) => (
          <blockquote key={id} className="quoted" dir="auto">
            {text ?? t('answer.newer_without')}
          </blockquote>
        ))}
      {t('answer.anyway_hint')}
    </Alert>
  )
}
