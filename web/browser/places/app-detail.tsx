/** One app: what it is known by at the network, its secrets, and the channels that speak through it. */
import { Alert, Button, Group, Modal, Skeleton, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { IconArrowLeft, IconKey, IconPencil, IconTrash } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { Link, useParams } from 'react-router'
import type { AppJson } from '../../presenters/shapes.ts'
import { api } from '../api.ts'
import { ChannelMark } from '../person.tsx'
import { keys } from '../queries.ts'
import { Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { AppLines } from './app-card.tsx'
import { channelsApi } from './channels-api.ts'
import { FormDialog, type Field } from './form.tsx'
import { useTell } from './use-tell.ts'

export function AppDetail() {
  const { t } = useSpeech()
  const { appId = '' } = useParams()
  const query = useQuery({ queryKey: keys.app(appId), queryFn: ({ signal }) => channelsApi.app(appId, signal) })
  useEffect(() => {
    document.title = `${query.data?.name ?? t('channels.apps')} · ${t('app.name')}`
  }, [t, query.data?.name])
  return (
    <div className="place">
      <div className="place-inner">
        <Link to="/channels" className="back-link">
          <IconArrowLeft size={18} aria-hidden /> {t('place.channels')}
        </Link>
        {query.isPending && <Skeleton height={180} radius="md" mt="md" aria-label={t('state.loading')} />}
        {query.isError && !query.data && <Failure error={query.error} again={() => void query.refetch()} />}
        {query.data && <Shown key={appId} app={query.data} />}
      </div>
    </div>
  )
}

/** Changes the app and shows what came of it. */
function useChange(id: string) {
  const client = useQueryClient()
  return async (change: Readonly<Record<string, unknown>>): Promise<void> => {
    client.setQueryData(keys.app(id), await channelsApi.changeApp(id, change))
    await client.invalidateQueries({ queryKey: keys.apps, exact: true })
  }
}

function Shown({ app }: { readonly app: AppJson }) {
  const { t } = useSpeech()
  const change = useChange(app.id)
  const [open, setOpen] = useState<'edit' | 'add' | 'remove'>()
  const close = (): void => setOpen(undefined)
  const isX = app.network === 'x'
  const isOld = app.secret_count > 1
  return (
    <>
      <header className="channel-head">
        <div className="card-main">
          <Title order={1} size="h2">
            {app.name}
          </Title>
          <Text c="dimmed">{isX ? 'X' : 'Meta'}</Text>
        </div>
        <Button variant="default" leftSection={<IconPencil size={18} aria-hidden />} onClick={() => setOpen('edit')}>
          {t('apps.edit')}
        </Button>
      </header>
      <dl className="facts facts-card">
        <dt>{t(isX ? 'connect.app_id_x' : 'connect.app_id')}</dt>
        <dd>{app.external_id ?? t('apps.none')}</dd>
        {isX && (
          <>
            <dt>{t('channels.consumer_key')}</dt>
            <dd className="breaking">{app.consumer_key ?? t('apps.none')}</dd>
          </>
        )}
        <dt>{t('connect.client_id')}</dt>
        <dd className="breaking">{app.client_id ?? t('apps.none')}</dd>
        <dt>{t('connect.client_secret')}</dt>
        <dd>{t(app.has_client_secret ? 'apps.entered' : 'apps.none')}</dd>
      </dl>
      <section className="place-part" aria-label={t('apps.at_network')}>
        <Title order={2} size="h4">
          {t('apps.at_network')}
        </Title>
        <AppLines app={app} />
      </section>
      <section className="place-part" aria-label={t('apps.secrets')}>
        <Title order={2} size="h4">
          {t('apps.secrets')}
        </Title>
        <Text>{t('apps.secret_count', { count: app.secret_count })}</Text>
        <Text c="dimmed">{t('apps.secrets_how')}</Text>
        <Group gap="xs" mt="sm">
          <Button variant="default" leftSection={<IconKey size={18} aria-hidden />} onClick={() => setOpen('add')}>
            {t('apps.secret_add')}
          </Button>
          {isOld && (
            <Button
              variant="subtle"
              color="red"
              leftSection={<IconTrash size={18} aria-hidden />}
              onClick={() => setOpen('remove')}
            >
              {t('apps.secret_remove')}
            </Button>
          )}
        </Group>
      </section>
      <Spoken app={app} />
      <FormDialog
        title={t('apps.edit')}
        isOpen={open === 'edit'}
        close={close}
        initial={valuesOf(app)}
        fields={() => fieldsOf(app, t)}
        save={(given) => change(changeOf(app, given))}
      />
      <FormDialog
        title={t('apps.secret_add')}
        isOpen={open === 'add'}
        close={close}
        initial={{}}
        fields={() => [
          {
            name: 'new_secret',
            label: t(isX ? 'channels.secret_x' : 'channels.secret'),
            hint: t('apps.secret_hint'),
            isSecret: true,
          },
        ]}
        save={({ new_secret }) => change({ new_secret })}
      />
      <RemoveOlder app={app} isOpen={open === 'remove'} close={close} />
    </>
  )
}

/** Says what will happen before the older secrets go. */
function RemoveOlder({
  app,
  isOpen,
  close,
}: {
  readonly app: AppJson
  readonly isOpen: boolean
  readonly close: () => void
}) {
  const { t } = useSpeech()
  const tell = useTell()
  const change = useChange(app.id)
  const remove = useMutation({
    mutationFn: () => change({ keep_secrets: 1 }),
    onSuccess: () => {
      close()
      tell.done(t('apps.secret_removed'))
    },
  })
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={t('apps.secret_remove')}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      <Stack gap="sm">
        {remove.isError && (
          <Alert color="red" variant="light" role="alert">
            {remove.error.message}
          </Alert>
        )}
        <Text>{t('apps.secret_remove_what')}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>
            {t('channels.cancel')}
          </Button>
          <Button color="red.9" loading={remove.isPending} onClick={() => remove.mutate()}>
            {t('apps.secret_remove')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

/** The channels that speak through the app. */
function Spoken({ app }: { readonly app: AppJson }) {
  const { t } = useSpeech()
  const channels = useQuery({ queryKey: keys.channels, queryFn: ({ signal }) => api.channels(signal) })
  const own = channels.data?.items.filter(({ app_id }) => app_id === app.id) ?? []
  return (
    <section className="place-part" aria-label={t('apps.channels')}>
      <Title order={2} size="h4" mb="xs">
        {t('apps.channels')}
      </Title>
      {channels.data && own.length === 0 && <Text c="dimmed">{t('apps.no_channels')}</Text>}
      <ul className="cards" aria-label={t('apps.channels')}>
        {own.map(({ id, type, name }) => (
          <li key={id} className="card-row">
            <ChannelMark type={type} size={28} />
            <div className="card-main">
              <Link to={`/channels/${id}?examine=1`} className="channel-name">
                {name}
              </Link>
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}

type T = ReturnType<typeof useSpeech>['t']

function fieldsOf({ network, has_client_secret }: AppJson, t: T): Field[] {
  const isX = network === 'x'
  return [
    { name: 'name', label: t('channels.name') },
    { name: 'external_id', label: t(isX ? 'connect.app_id_x' : 'connect.app_id'), isOptional: true },
    ...(isX
      ? [{ name: 'consumer_key', label: t('channels.consumer_key') }]
      : [{ name: 'verify_token', label: t('channels.verify_token'), hint: t('apps.verify_token_hint') }]),
    { name: 'client_id', label: t('connect.client_id'), isOptional: true },
    {
      name: 'client_secret',
      label: t('connect.client_secret'),
      ...(has_client_secret && { hint: t('apps.client_secret_hint') }),
      isSecret: true,
      isOptional: true,
    },
  ]
}

const valuesOf = ({ name, external_id, consumer_key, verify_token, client_id }: AppJson): Record<string, string> => ({
  name,
  external_id: external_id ?? '',
  consumer_key: consumer_key ?? '',
  verify_token: verify_token ?? '',
  client_id: client_id ?? '',
})

/** What was emptied is taken away; a secret that was not entered anew stays. */
function changeOf(app: AppJson, given: Readonly<Record<string, string>>): Record<string, string | null> {
  const before = valuesOf(app)
  const changed = Object.entries(given).filter(([name, value]) => value !== (before[name] ?? ''))
  return Object.fromEntries(changed.map(([name, value]) => [name, value === '' ? null : value]))
}
