/** What the account asks of approvals. */
import { Checkbox, Radio, Stack } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { PostSettingsJson } from '../../presenters/post-shapes.ts'
import { useSpeech } from '../texts/index.tsx'
import { Dialog, Shown } from './people-parts.tsx'
import { postApi, postQueries } from './post-api.ts'
import { useTell } from './use-tell.ts'

const rules = ['by_role', 'always', 'never'] as const

export function PostSettings({ close }: { readonly close: () => void }) {
  const { t } = useSpeech()
  const client = useQueryClient()
  const tell = useTell()
  const query = useQuery(postQueries.settings)
  const [changed, setChanged] = useState<Partial<PostSettingsJson>>({})
  const [isSaving, setSaving] = useState(false)
  const [error, setError] = useState<Error | null>(null)
  const save = async (): Promise<void> => {
    setSaving(true)
    try {
      await postApi.changeSettings(changed)
      tell.done(t('settings.saved'))
      await client.invalidateQueries({ queryKey: postQueries.all })
      close()
    } catch (failure) {
      setError(failure instanceof Error ? failure : new Error(String(failure)))
      setSaving(false)
    }
  }
  return (
    <Dialog title={t('post.settings')} isOpen close={close} save={() => void save()} isSaving={isSaving} error={error}>
      <Shown query={query}>
        {(settings) => {
          const now = { ...settings, ...changed }
          return (
            <Stack gap="md">
              <Radio.Group
                label={t('post.approval')}
                value={now.approval}
                onChange={(value) => {
                  const approval = rules.find((rule) => rule === value)
                  if (approval) setChanged((old) => ({ ...old, approval }))
                }}
              >
                <Stack gap="xs" mt={6}>
                  {rules.map((rule) => (
                    <Radio
                      key={rule}
                      value={rule}
                      label={t(`post.approval_${rule}`)}
                      description={t(`post.approval_${rule}_hint`)}
                    />
                  ))}
                </Stack>
              </Radio.Group>
              <Checkbox
                label={t('post.four_eyes')}
                description={t('post.four_eyes_hint')}
                checked={now.four_eyes}
                onChange={(event) => {
                  const four_eyes = event.currentTarget.checked
                  setChanged((old) => ({ ...old, four_eyes }))
                }}
              />
            </Stack>
          )
        }}
      </Shown>
    </Dialog>
  )
}
