/** Canned replies: answers that are given again and again. */
import '../styles/rules.css'
import '../texts/rules.ts'
import { Button, Group, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconMessage2Bolt, IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import type { CannedJson } from '../../presenters/rules.ts'
import { useSession } from '../session.ts'
import { Empty } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { lists } from './people-api.ts'
import { Dialog, PartHead, Shown, useAct } from './people-parts.tsx'
import { ruleLists, rulesApi } from './rules-api.ts'

const variables = ['contact.name', 'contact.first_name', 'agent.name', 'channel.name', 'account.name']

export function CannedReplies() {
  const { t } = useSpeech()
  const mayManage = useSession().permissions.includes('canned.manage')
  const query = useQuery(ruleLists.canned(mayManage))
  const teams = useQuery(lists.teams).data?.items ?? []
  const [changing, setChanging] = useState<CannedJson | 'new'>()
  const add = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setChanging('new')}>
      {t('canned.new')}
    </Button>
  )
  return (
    <>
      <PartHead title="settings.replies" lead="canned.lead">
        {mayManage && query.data?.items.length !== 0 && add}
      </PartHead>
      <Shown query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty
              icon={<IconMessage2Bolt size={40} stroke={1.3} />}
              title={t('canned.empty')}
              hint={t('canned.empty_hint')}
            >
              {mayManage && add}
            </Empty>
          ) : (
            <ul className="cards" aria-label={t('settings.replies')}>
              {items.map((reply) => (
                <li key={reply.id} className="card-row">
                  <div className="card-main">
                    <div className="channel-name">
                      {reply.name} <code>/{reply.shortcut}</code>
                    </div>
                    <p className="canned-text" dir="auto">
                      {reply.text}
                    </p>
                  </div>
                  <span className="card-side">
                    {[
                      teams.find(({ id }) => id === reply.team_id)?.name ?? t('canned.everybody'),
                      ...(reply.files.length > 0 ? [t('canned.files', { count: reply.files.length })] : []),
                      t('canned.used', { count: reply.use_count }),
                    ].join(' · ')}
                  </span>
                  {mayManage && (
                    <Button
                      size="compact-md"
                      variant="default"
                      aria-label={`${t('settings.change')}: ${reply.name}`}
                      onClick={() => setChanging(reply)}
                    >
                      {t('settings.change')}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
      {changing && (
        <ChangeCanned reply={changing === 'new' ? undefined : changing} close={() => setChanging(undefined)} />
      )}
    </>
  )
}

function ChangeCanned({ reply, close }: { readonly reply: CannedJson | undefined; readonly close: () => void }) {
  const { t } = useSpeech()
  const teams = useQuery(lists.teams).data?.items ?? []
  const [wish, setWish] = useState({
    ...{ shortcut: reply?.shortcut ?? '', name: reply?.name ?? '', text: reply?.text ?? '' },
    team_id: reply?.team_id ?? null,
  })
  const set = (change: Partial<typeof wish>): void => setWish((old) => ({ ...old, ...change }))
  const save = useAct(
    () => (reply === undefined ? rulesApi.createCanned(wish) : rulesApi.changeCanned(reply.id, wish)),
    close,
  )
  const remove = useAct(() => rulesApi.removeCanned(reply?.id ?? ''), close)
  const isWhole = [wish.shortcut, wish.name, wish.text].every((each) => each.trim() !== '')
  return (
    <Dialog
      title={reply === undefined ? t('canned.new') : t('rules.change_title', { name: reply.name })}
      isOpen
      close={close}
      save={() => {
        if (isWhole) save.mutate(undefined)
      }}
      isSaving={save.isPending}
      error={save.error ?? remove.error}
    >
      <TextInput
        label={t('rules.name')}
        required
        maxLength={100}
        value={wish.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
        data-autofocus
      />
      <TextInput
        label={t('canned.shortcut')}
        required
        maxLength={40}
        leftSection="/"
        spellCheck={false}
        value={wish.shortcut}
        onChange={(event) => set({ shortcut: event.currentTarget.value.replace(/[\s/]/g, '') })}
      />
      <Textarea
        label={t('canned.text')}
        description={t('rules.text_hint', {
          list: variables.map((each) => `{{${each}}}`).join(' '),
          example: '{{contact.first_name|…}}',
        })}
        required
        autosize
        minRows={4}
        maxRows={12}
        maxLength={20_000}
        dir="auto"
        value={wish.text}
        onChange={(event) => set({ text: event.currentTarget.value })}
      />
      <NativeSelect
        label={t('canned.of')}
        data={[
          { value: '', label: t('canned.everybody') },
          ...teams.map(({ id, name }) => ({ value: id, label: name })),
        ]}
        value={wish.team_id ?? ''}
        onChange={({ currentTarget: { value } }) => set({ team_id: value === '' ? null : value })}
      />
      {reply !== undefined && (
        <Group>
          <Button variant="subtle" color="red" loading={remove.isPending} onClick={() => remove.mutate(undefined)}>
            {t('canned.remove')}
          </Button>
        </Group>
      )}
    </Dialog>
  )
}
