/** The right to speak for the channel: signing in at the network, or an access token. */
import { Alert, Button, Group, Text, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { IconExternalLink } from '@tabler/icons-react'
import { useState } from 'react'
import type { AppJson, ChannelJson } from '../../presenters/shapes.ts'
import { api, newKey } from '../api.ts'
import { keys } from '../queries.ts'
import { useSpeech } from '../texts/index.tsx'
import { withoutEmpty } from './add-app.tsx'
import { channelsApi, type ChannelType } from './channels-api.ts'
import { Form, type Field } from './form.tsx'

interface Props {
  readonly type: ChannelType
  readonly app: AppJson
  /** The one to be reconnected. */
  readonly channel: ChannelJson | undefined
  readonly finish: (ids: readonly string[]) => void
}

export function ConnectPermission({ type, app, channel, finish }: Props) {
  const { t } = useSpeech()
  const client = useQueryClient()
  // WhatsApp gives its tokens in the business settings; there is nothing to sign in to.
  const canSignIn = type !== 'whatsapp'
  const [isByToken, setByToken] = useState(!canSignIn)
  const network = t(`channel.${type}`)
  const begin = useMutation({
    mutationFn: () => channelsApi.beginConnect(app.id, type, newKey()),
    onSuccess: ({ authorize_url }) => location.assign(authorize_url),
  })
  if (!isByToken)
    return (
      <section>
        <Title order={2} size="h4">
          {t('connect.sign_in_title', { network })}
        </Title>
        <Text mb="md">{t('connect.sign_in_lead', { network })}</Text>
        {begin.isError && (
          <Alert color="red" variant="light" role="alert" mb="md">
            {begin.error.message}
          </Alert>
        )}
        <Group>
          <Button
            size="md"
            leftSection={<IconExternalLink size={18} aria-hidden />}
            loading={begin.isPending || begin.isSuccess}
            onClick={() => begin.mutate()}
          >
            {t('connect.sign_in', { network })}
          </Button>
          <Button variant="subtle" onClick={() => setByToken(true)}>
            {t('connect.by_token')}
          </Button>
        </Group>
      </section>
    )
  return (
    <section>
      <Title order={2} size="h4">
        {t('connect.token_title')}
      </Title>
      <Text mb="md">{t(`connect.token_lead_${type}`)}</Text>
      <Form
        initial={{ name: channel?.name ?? '', external_id: channel?.external_id ?? '' }}
        fields={() => fieldsOf(type, channel === undefined, t)}
        saveLabel={channel ? t('channels.reconnect') : t('channels.connect')}
        close={() => setByToken(false)}
        isClosable={canSignIn}
        saved={() => undefined}
        save={async ({ name, external_id, ...credentials }, key) => {
          const given = withoutEmpty(credentials)
          const saved = channel
            ? await channelsApi.setCredentials(channel.id, given)
            : await api.addChannel(
                withoutEmptyDeep({
                  app_id: app.id,
                  type,
                  name,
                  external_id,
                  api_base_url: app.api_base_url,
                  credentials: given,
                }),
                key,
              )
          await client.invalidateQueries({ queryKey: keys.channels })
          finish([saved.id])
        }}
      />
    </section>
  )
}

const withoutEmptyDeep = (values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined))

type T = ReturnType<typeof useSpeech>['t']

function fieldsOf(type: ChannelType, isNew: boolean, t: T): Field[] {
  return [
    ...(isNew
      ? [
          { name: 'name', label: t('channels.name'), hint: t('connect.name_hint') },
          { name: 'external_id', label: t(`connect.id_${type}`), hint: t('channels.external_id_hint') },
        ]
      : []),
    { name: 'access_token', label: t('channels.access_token'), isSecret: true },
    ...(type === 'x'
      ? [{ name: 'access_token_secret', label: t('channels.access_token_secret'), isSecret: true }]
      : []),
    ...(type === 'whatsapp'
      ? [
          {
            name: 'business_account_id',
            label: t('connect.business_account_id'),
            hint: t('connect.business_account_hint'),
            isOptional: true,
          },
        ]
      : []),
  ]
}
