/** Asks for the password again where the server wants it before a sensitive act; the act then goes on. */
import { Alert, Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { useEffect, useRef, useState, type SyntheticEvent } from 'react'
import { ask, whenConfirmationNeeded } from './api.ts'
import { useSession } from './session.ts'
import { useSpeech } from './texts/index.tsx'

/** `first` asked before it was there. */
export function ConfirmPassword({ first }: { readonly first?: (isConfirmed: boolean) => void }) {
  const { t } = useSpeech()
  const { user, totp } = useSession()
  const [isOpen, setOpen] = useState(first !== undefined)
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [fault, setFault] = useState<string>()
  const [isAsking, setAsking] = useState(false)
  const waiting = useRef<((isConfirmed: boolean) => void)[]>(first ? [first] : [])

  useEffect(
    () =>
      whenConfirmationNeeded(
        () =>
          new Promise((resolve) => {
            waiting.current.push(resolve)
            setOpen(true)
          }),
      ),
    [],
  )
  const finish = (isConfirmed: boolean): void => {
    setOpen(false)
    setPassword('')
    setCode('')
    setFault(undefined)
    for (const tell of waiting.current.splice(0)) tell(isConfirmed)
  }
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault()
    setAsking(true)
    try {
      await ask('PATCH', '/session', { password, ...(totp.is_set_up && { code }) })
      finish(true)
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error))
    } finally {
      setAsking(false)
    }
  }
  return (
    <Modal
      opened={isOpen}
      onClose={() => finish(false)}
      title={t('confirm.title')}
      zIndex={400}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      <form onSubmit={(event) => void submit(event)} noValidate>
        <input type="text" name="username" autoComplete="username" value={user.email} readOnly hidden />
        <Stack gap="sm">
          <Text>{t('confirm.lead')}</Text>
          {fault !== undefined && (
            <Alert color="red" variant="light" role="alert">
              {fault}
            </Alert>
          )}
          <PasswordInput
            label={t('sign_in.password')}
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            data-autofocus
          />
          {totp.is_set_up && (
            <TextInput
              label={t('code.label')}
              description={t('code.hint')}
              autoComplete="one-time-code"
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
            />
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => finish(false)}>
              {t('settings.cancel')}
            </Button>
            <Button type="submit" loading={isAsking}>
              {t('confirm.button')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
