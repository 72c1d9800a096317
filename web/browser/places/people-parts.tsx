/** What several settings for people share. */
import { Alert, Button, Group, Modal, Skeleton, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQueryClient, type UseQueryResult } from '@tanstack/react-query'
import { useEffect, type ReactNode, type SyntheticEvent } from 'react'
import { Failure } from '../states.tsx'
import { useSpeech, type Key } from '../texts/index.tsx'
import { CopyLine } from './app-card.tsx'
import { lists } from './people-api.ts'
import { useTell } from './use-tell.ts'

/** The head of a part: its name, what it is for, and the first thing to do. */
export function PartHead({
  title,
  lead,
  children,
}: {
  readonly title: Key
  readonly lead: Key
  readonly children?: ReactNode
}) {
  const { t } = useSpeech()
  useEffect(() => {
    document.title = `${t(title)} · ${t('app.name')}`
  }, [t, title])
  return (
    <header className="place-head">
      <div>
        <Title order={1} size="h2">
          {t(title)}
        </Title>
        <Text c="dimmed">{t(lead)}</Text>
      </div>
      {children}
    </header>
  )
}

/** Loading shows the shape of what comes; a failure says what to do. */
export function Shown<Data>({
  query,
  children,
}: {
  readonly query: UseQueryResult<Data>
  readonly children: (data: Data) => ReactNode
}) {
  const { t } = useSpeech()
  if (query.data !== undefined) return children(query.data)
  if (query.isError) return <Failure error={query.error} again={() => void query.refetch()} />
  return (
    <div role="status" aria-busy aria-label={t('state.loading')}>
      <Skeleton height={66} radius="md" mb={8} />
      <Skeleton height={66} radius="md" />
    </div>
  )
}

/** Does something with people, tells what went wrong, and asks anew for what it has made old. */
export function useAct<Given, Result>(
  act: (given: Given) => Promise<Result>,
  done?: (result: Result, given: Given) => void,
) {
  const client = useQueryClient()
  const tell = useTell()
  return useMutation({
    mutationFn: act,
    onSuccess: (result, given) => {
      done?.(result, given)
      return client.invalidateQueries({ queryKey: lists.all })
    },
    onError: tell.failed,
  })
}

/** A form in a dialogue: the server's refusal above, a way out beside saving. */
export function Dialog({
  title,
  isOpen,
  close,
  save,
  saveLabel = 'settings.save',
  isSaving,
  error,
  isDangerous = false,
  children,
}: {
  readonly title: string
  readonly isOpen: boolean
  readonly close: () => void
  readonly save: () => void
  readonly saveLabel?: Key
  readonly isSaving: boolean
  readonly error: Error | null
  readonly isDangerous?: boolean
  readonly children: ReactNode
}) {
  const { t } = useSpeech()
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault()
    save()
  }
  return (
    <Modal opened={isOpen} onClose={close} title={title} closeButtonProps={{ 'aria-label': t('help.close') }}>
      <form onSubmit={submit} noValidate>
        <Stack gap="sm">
          {error && (
            <Alert color="red" variant="light" role="alert">
              {error.message}
            </Alert>
          )}
          {children}
          <Group justify="flex-end" mt="xs">
            <Button variant="default" onClick={close}>
              {t('settings.cancel')}
            </Button>
            <Button type="submit" loading={isSaving} {...(isDangerous && { color: 'red.9' })}>
              {t(saveLabel)}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

/** Something that is shown once: to be copied now. */
export function ShownOnce({
  title,
  lead,
  name,
  value,
  close,
}: {
  readonly title: string
  readonly lead: string
  readonly name: string
  readonly value: string
  readonly close: () => void
}) {
  const { t } = useSpeech()
  return (
    <Modal
      opened
      onClose={close}
      title={title}
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      <Stack gap="sm">
        <Text>{lead}</Text>
        <CopyLine name={name} value={value} />
        <Group justify="flex-end">
          <Button onClick={close}>{t('users.done')}</Button>
        </Group>
      </Stack>
    </Modal>
  )
}

const builtIn = ['administrator', 'supervisor', 'agent', 'viewer'] as const

/** A role's name: a built-in one's in the language of the screen. */
export function useRoleName(): (role: { readonly id: string; readonly name: string }) => string {
  const { t } = useSpeech()
  return ({ id, name }) => {
    const known = builtIn.find((each) => each === id)
    return known === undefined ? name : t(`role.${known}`)
  }
}
