/** Which registration with the network to use: one that is there, or a new one with its secrets. */
import { Button, Group, Text, Title } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { AppJson } from '../../presenters/shapes.ts'
import { api } from '../api.ts'
import { keys } from '../queries.ts'
import { useSpeech } from '../texts/index.tsx'
import { AppLines } from './app-card.tsx'
import type { ChannelType } from './channels-api.ts'
import { Form, type Field } from './form.tsx'
import { withoutEmpty } from './add-app.tsx'

export function ConnectApp({
  type,
  apps,
  choose,
}: {
  readonly type: ChannelType
  readonly apps: readonly AppJson[]
  readonly choose: (appId: string) => void
}) {
  const { t } = useSpeech()
  const client = useQueryClient()
  const network = type === 'x' ? 'x' : 'meta'
  const fitting = apps.filter((app) => app.network === network)
  const [isNew, setNew] = useState(fitting.length === 0)
  const [made, setMade] = useState<AppJson>()

  if (made)
    return (
      <section>
        <Title order={2} size="h4">
          {t('connect.app_made')}
        </Title>
        <Text mb="sm">{t(network === 'x' ? 'connect.app_enter_x' : 'connect.app_enter_meta')}</Text>
        <div className="card-row">
          <div className="card-main">
            <AppLines app={made} />
          </div>
        </div>
        <Group mt="md">
          <Button onClick={() => choose(made.id)}>{t('connect.app_entered')}</Button>
        </Group>
      </section>
    )
  if (isNew)
    return (
      <section>
        <Title order={2} size="h4">
          {t('connect.app_new')}
        </Title>
        <Text mb="sm">{t(network === 'x' ? 'connect.app_where_x' : 'connect.app_where_meta')}</Text>
        <Form
          initial={{ name: network === 'x' ? 'X' : 'Meta' }}
          fields={() => fieldsOf(network, t)}
          saveLabel={t('connect.app_save')}
          close={() => (fitting.length > 0 ? setNew(false) : undefined)}
          isClosable={fitting.length > 0}
          saved={() => undefined}
          save={async ({ secret = '', ...given }, key) => {
            const app = await api.addApp({ ...withoutEmpty(given), network, secrets: [secret] }, key)
            await client.invalidateQueries({ queryKey: keys.apps })
            setMade(app)
          }}
        />
      </section>
    )
  return (
    <section>
      <Text mb="sm">{t('connect.app_lead')}</Text>
      <div className="choices">
        {fitting.map((app) => (
          <button key={app.id} type="button" className="choice" onClick={() => choose(app.id)}>
            <span>
              <strong>{app.name}</strong>
              <span className="dimmed">{app.external_id ?? app.api_base_url ?? app.network}</span>
            </span>
          </button>
        ))}
        <button type="button" className="choice choice-new" onClick={() => setNew(true)}>
          {t('connect.app_other')}
        </button>
      </div>
    </section>
  )
}

type T = ReturnType<typeof useSpeech>['t']

function fieldsOf(network: 'meta' | 'x', t: T): Field[] {
  const name = { name: 'name', label: t('channels.name'), hint: t('connect.app_name_hint') }
  if (network === 'meta')
    return [
      name,
      { name: 'external_id', label: t('connect.app_id'), hint: t('connect.app_id_hint') },
      { name: 'secret', label: t('channels.secret'), isSecret: true },
    ]
  return [
    name,
    { name: 'external_id', label: t('connect.app_id_x'), isOptional: true },
    { name: 'consumer_key', label: t('channels.consumer_key') },
    { name: 'secret', label: t('channels.secret_x'), isSecret: true },
    { name: 'client_id', label: t('connect.client_id'), hint: t('connect.client_hint'), isOptional: true },
    { name: 'client_secret', label: t('connect.client_secret'), isSecret: true, isOptional: true },
  ]
}
