import { useQueryClient } from '@tanstack/react-query'
import type { AppJson } from '../../presenters/shapes.ts'
import { api } from '../api.ts'
import { keys } from '../queries.ts'
import { useSpeech } from '../texts/index.tsx'
import { withoutEmpty } from './add-app.tsx'
import { FormDialog, type Field } from './form.tsx'

const typesOf = { meta: ['facebook', 'instagram', 'whatsapp'], x: ['x'] } as const

/** One Page, account or number that an app speaks for. */
export function AddChannel({
  isOpen,
  apps,
  close,
}: {
  readonly isOpen: boolean
  readonly apps: readonly AppJson[]
  readonly close: () => void
}) {
  const { t } = useSpeech()
  const client = useQueryClient()
  const first = apps[0]
  const typesFor = (appId: string | undefined) => typesOf[apps.find(({ id }) => id === appId)?.network ?? 'meta']
  const fields = (values: Readonly<Record<string, string>>): Field[] => {
    const types = typesFor(values['app_id'] ?? first?.id)
    return [
      { name: 'app_id', label: t('channels.app'), options: apps.map(({ id, name }) => ({ value: id, label: name })) },
      {
        name: 'type',
        label: t('channels.type'),
        isOptional: true,
        options: types.map((value) => ({ value, label: t(`channel.${value}`) })),
      },
      { name: 'name', label: t('channels.name') },
      { name: 'external_id', label: t('channels.external_id'), hint: t('channels.external_id_hint') },
      { name: 'access_token', label: t('channels.access_token'), isSecret: true },
      ...(types[0] === 'x'
        ? [{ name: 'access_token_secret', label: t('channels.access_token_secret'), isSecret: true }]
        : []),
      { name: 'api_base_url', label: t('channels.api_base_url'), isOptional: true },
    ]
  }
  return (
    <FormDialog
      key={first?.id ?? 'none'}
      title={t('channels.add')}
      isOpen={isOpen}
      close={close}
      initial={{ app_id: first?.id ?? '' }}
      fields={fields}
      save={async ({ access_token, access_token_secret, type, ...given }, key) => {
        const types: readonly string[] = typesFor(given['app_id'])
        const chosen = type && types.includes(type) ? type : types[0]
        await api.addChannel(
          { ...withoutEmpty(given), type: chosen, credentials: withoutEmpty({ access_token, access_token_secret }) },
          key,
        )
        await client.invalidateQueries({ queryKey: keys.channels })
      }}
    />
  )
}
