import { useQueryClient } from '@tanstack/react-query'
import { api } from '../api.ts'
import { keys } from '../queries.ts'
import { useSpeech } from '../texts/index.tsx'
import { FormDialog, type Field } from './form.tsx'

/** Our registration with a network: its secrets, and the webhook address that comes of it. */
export function AddApp({ isOpen, close }: { readonly isOpen: boolean; readonly close: () => void }) {
  const { t } = useSpeech()
  const client = useQueryClient()
  const fields = (values: Readonly<Record<string, string>>): Field[] => {
    const isX = values['network'] === 'x'
    return [
      {
        name: 'network',
        label: t('channels.network'),
        options: [
          { value: 'meta', label: 'Meta' },
          { value: 'x', label: 'X' },
        ],
      },
      { name: 'name', label: t('channels.name') },
      ...(isX ? [{ name: 'consumer_key', label: t('channels.consumer_key') }] : []),
      { name: 'secret', label: isX ? t('channels.secret_x') : t('channels.secret'), isSecret: true },
      ...(isX ? [] : [{ name: 'verify_token', label: t('channels.verify_token'), isOptional: true }]),
      { name: 'api_base_url', label: t('channels.api_base_url'), isOptional: true },
    ]
  }
  return (
    <FormDialog
      title={t('channels.add_app')}
      isOpen={isOpen}
      close={close}
      initial={{ network: 'meta' }}
      fields={fields}
      save={async ({ secret, ...given }, key) => {
        await api.addApp({ ...withoutEmpty(given), secrets: [secret] }, key)
        await client.invalidateQueries({ queryKey: keys.apps })
      }}
    />
  )
}

export const withoutEmpty = (values: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1])))
