import { Alert, Badge, Button, Group, Loader, Modal, Stack, TextInput, UnstyledButton } from '@mantine/core'
import { IconArrowLeft, IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { TemplateJson } from '../../presenters/shapes.ts'
import type { NewMessage } from '../api.ts'
import { useSpeech } from '../texts/index.tsx'
import { answering } from './api.ts'

interface Props {
  readonly channelId: string
  readonly name: string
  readonly onClose: () => void
  readonly onSend: (template: NonNullable<NewMessage['template']>, text: string) => void
}

/** What the network has approved beforehand: found, filled in, seen as it will arrive. */
export function TemplatePicker({ channelId, name, onClose, onSend }: Props) {
  const { t } = useSpeech()
  const [chosen, setChosen] = useState<TemplateJson>()
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={chosen ? chosen.name : t('answer.template')}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      {chosen ? (
        <Fill
          key={chosen.name + chosen.language}
          template={chosen}
          name={name}
          back={() => setChosen(undefined)}
          onSend={onSend}
        />
      ) : (
        <Choose channelId={channelId} onChoose={setChosen} />
      )}
    </Modal>
  )
}

function Choose({
  channelId,
  onChoose,
}: {
  readonly channelId: string
  readonly onChoose: (one: TemplateJson) => void
}) {
  const { t } = useSpeech()
  const [words, setWords] = useState('')
  const query = useQuery({
    queryKey: ['templates', channelId],
    queryFn: ({ signal }) => answering.templates(channelId, signal),
  })
  const wanted = words.trim().toLowerCase()
  const found = query.data?.items.filter(({ name, body, language }) =>
    `${name} ${language} ${body}`.toLowerCase().includes(wanted),
  )
  return (
    <Stack gap="sm">
      <TextInput
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        leftSection={<IconSearch size={16} aria-hidden />}
        placeholder={t('answer.template_find')}
        aria-label={t('answer.template_find')}
        data-autofocus
      />
      {query.isPending && <Loader size="sm" aria-label={t('state.loading')} />}
      {query.isError && (
        <Alert color="red" variant="light" p="xs" role="alert">
          {query.error.message}{' '}
          <Button size="compact-sm" variant="default" onClick={() => void query.refetch()}>
            {t('state.again')}
          </Button>
        </Alert>
      )}
      {found?.length === 0 && (
        <p className="templates-none">{t(wanted ? 'answer.template_not_found' : 'answer.template_none')}</p>
      )}
      <ul className="templates" aria-label={t('answer.template')}>
        {found?.map((one) => {
          const isGood = one.state === 'APPROVED'
          return (
            <li key={one.name + one.language}>
              <UnstyledButton className="template" disabled={!isGood} onClick={() => onChoose(one)}>
                <span className="template-head">
                  <strong>{one.name}</strong>
                  <Badge size="sm" variant="light" color="gray" tt="none">
                    {one.language}
                  </Badge>
                  {!isGood && (
                    <Badge size="sm" variant="outline" color="gray" tt="none">
                      {t('answer.template_state', { state: one.state.toLowerCase() })}
                    </Badge>
                  )}
                </span>
                <span className="template-body" dir="auto">
                  {one.body}
                </span>
              </UnstyledButton>
            </li>
          )
        })}
      </ul>
    </Stack>
  )
}

interface FillProps {
  readonly template: TemplateJson
  readonly name: string
  readonly back: () => void
  readonly onSend: Props['onSend']
}

type Values = Readonly<Record<string, string>>

function Fill({ template, name, back, onSend }: FillProps) {
  const { t } = useSpeech()
  const { header, body, footer, buttons } = template
  const holes = [
    ...holesIn(header).map((hole) => ({ key: `header.${hole}`, hole, where: 'header' as const })),
    ...holesIn(body).map((hole) => ({ key: `body.${hole}`, hole, where: 'body' as const })),
    ...buttons.flatMap(({ link }, index) =>
      holesIn(link).map((hole) => ({ key: `button.${String(index)}`, hole, where: 'button' as const })),
    ),
  ]
  const [values, setValues] = useState<Values>({})
  const isFull = holes.every(({ key }) => values[key]?.trim())
  const valuesOf = (text: string | null, where: string): string[] =>
    holesIn(text).map((hole) => values[`${where}.${hole}`]?.trim() ?? '')
  const filled = [fill(header, 'header', values), fill(body, 'body', values), footer].filter(Boolean).join('\n')
  const send = (): void => {
    const links = buttons.map((_, index) => values[`button.${String(index)}`]?.trim() ?? '')
    const [ofHeader, ofBody] = [valuesOf(header, 'header'), valuesOf(body, 'body')]
    onSend(
      {
        name: template.name,
        language: template.language,
        ...(ofHeader.length > 0 && { header: ofHeader }),
        ...(ofBody.length > 0 && { body: ofBody }),
        ...(links.some(Boolean) && { buttons: links }),
      },
      filled,
    )
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (isFull) send()
      }}
    >
      <Stack gap="sm">
        {holes.map(({ key, hole, where }, index) => (
          <TextInput
            key={key}
            label={t(`answer.hole_${where}`, { hole })}
            value={values[key] ?? ''}
            maxLength={2_000}
            dir="auto"
            data-autofocus={index === 0 || undefined}
            onChange={(event) => {
              const { value } = event.currentTarget
              setValues((old) => ({ ...old, [key]: value }))
            }}
          />
        ))}
        <figure className="template-preview">
          <figcaption>{t('answer.template_preview', { name })}</figcaption>
          <div className="bubble" dir="auto">
            {header && <strong>{fill(header, 'header', values)}</strong>}
            <p className="text">{fill(body, 'body', values)}</p>
            {footer && <small>{footer}</small>}
            {buttons.map(({ text }) => (
              <span key={text} className="template-button">
                {text}
              </span>
            ))}
          </div>
        </figure>
        <Group justify="space-between">
          <Button variant="subtle" leftSection={<IconArrowLeft size={16} aria-hidden />} onClick={back}>
            {t('answer.template_other')}
          </Button>
          <Button type="submit" disabled={!isFull}>
            {t('composer.send')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** `1`, `2` of `{{1}} … {{2}}`, each once, in the order of their numbers. */
const holesIn = (text: string | null): readonly string[] =>
  [...new Set([...(text ?? '').matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, hole]) => hole ?? ''))].sort(
    (one, other) => Number(one) - Number(other),
  )

const fill = (text: string | null, where: string, values: Values): string =>
  (text ?? '').replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, hole: string) => values[`${where}.${hole}`]?.trim() || whole)
