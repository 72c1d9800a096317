/** My bearer tokens, for scripts. */
import { Button, MultiSelect, NativeSelect, Text, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import type { TokenJson } from '../../presenters/people.ts'
import { useNow } from '../clock.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { lists, peopleApi } from './people-api.ts'
import { Dialog, Shown, ShownOnce, useAct } from './people-parts.tsx'

const dayMs = 86_400_000

export function OwnTokens() {
  const { t } = useSpeech()
  const query = useQuery(lists.tokens)
  const [isMaking, setMaking] = useState(false)
  const [made, setMade] = useState<string>()
  return (
    <section aria-label={t('tokens.title')}>
      <header className="place-head place-part">
        <div>
          <Title order={2} size="h4">
            {t('tokens.title')}
          </Title>
          <Text c="dimmed">{t('tokens.lead')}</Text>
        </div>
        <Button variant="default" leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setMaking(true)}>
          {t('tokens.new')}
        </Button>
      </header>
      <Shown query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Text c="dimmed">{t('tokens.empty')}</Text>
          ) : (
            <ul className="cards" aria-label={t('tokens.title')}>
              {items.toReversed().map((token) => (
                <TokenRow key={token.id} token={token} />
              ))}
            </ul>
          )
        }
      </Shown>
      {isMaking && <NewToken close={() => setMaking(false)} made={setMade} />}
      {made !== undefined && (
        <ShownOnce
          title={t('tokens.shown_title')}
          lead={t('tokens.shown')}
          name={t('tokens.title')}
          value={made}
          close={() => setMade(undefined)}
        />
      )}
    </section>
  )
}

function TokenRow({ token }: { readonly token: TokenJson }) {
  const { t, times } = useSpeech()
  const now = useNow()
  const revoke = useAct(peopleApi.revokeToken)
  const isOver = token.expires_at !== null && Date.parse(token.expires_at) <= now
  const facts = [
    token.scopes === null ? t('tokens.may_all') : t('tokens.may', { count: token.scopes.length }),
    token.used_at === null ? t('tokens.unused') : t('tokens.used', { time: times.relative(token.used_at, now) }),
    ...(token.revoked_at === null && token.expires_at !== null
      ? [t(isOver ? 'tokens.over' : 'tokens.until', { time: times.day(token.expires_at, now) })]
      : []),
    ...(token.revoked_at === null ? [] : [t('tokens.revoked')]),
  ]
  return (
    <li className="card-row" data-over={isOver || token.revoked_at !== null || undefined}>
      <div className="card-main">
        <div>{token.name}</div>
        <div className="card-side" title={token.scopes?.join(', ')}>
          {facts.join(' · ')}
        </div>
      </div>
      {token.revoked_at === null && !isOver && (
        <Button size="compact-md" variant="default" loading={revoke.isPending} onClick={() => revoke.mutate(token.id)}>
          {t('tokens.revoke')}
        </Button>
      )}
    </li>
  )
}

function NewToken({ close, made }: { readonly close: () => void; readonly made: (token: string) => void }) {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<string[]>([])
  const [days, setDays] = useState('90')
  const create = useAct(peopleApi.createToken, ({ token }) => {
    close()
    made(token)
  })
  const isReady = name.trim() !== '' && scopes.length > 0
  return (
    <Dialog
      title={t('tokens.new')}
      isOpen
      close={close}
      save={() => {
        const expires_at = new Date(Date.now() + Number(days) * dayMs).toISOString()
        if (isReady) create.mutate({ name, scopes, expires_at })
      }}
      saveLabel="tokens.new"
      isSaving={create.isPending}
      error={create.error}
    >
      <TextInput
        label={t('tokens.name')}
        required
        value={name}
        maxLength={200}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <MultiSelect
        label={t('tokens.scopes')}
        required
        searchable
        data={[...permissions].sort()}
        value={scopes}
        onChange={setScopes}
      />
      <NativeSelect
        label={t('tokens.expires')}
        value={days}
        onChange={(event) => setDays(event.currentTarget.value)}
        data={[7, 30, 90, 365].map((count) => ({ value: String(count), label: t('tokens.days', { count }) }))}
      />
    </Dialog>
  )
}
