import { Alert, Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState, type SyntheticEvent } from 'react'
import { LanguageChoice } from './account-menu.tsx'
import { api, Problem } from './api.ts'
import { keys } from './queries.ts'
import { useSpeech, type Key } from './texts/index.tsx'

/** `isAgain`: the session ended while working; the address and the drafts are kept. */
export function SignIn({ isAgain }: { readonly isAgain: boolean }) {
  const { t } = useSpeech()
  const client = useQueryClient()
  const [faults, setFaults] = useState<{ email?: Key; password?: Key; whole?: string }>({})
  const [isAsking, setAsking] = useState(false)
  const [needsCode, setNeedsCode] = useState(false)
  const code = useRef<HTMLInputElement>(null)
  const email = useRef<HTMLInputElement>(null)
  const password = useRef<HTMLInputElement>(null)

  useEffect(() => {
    document.title = `${t('sign_in.title')} · ${t('app.name')}`
  }, [t])

  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault()
    const given = { email: email.current?.value.trim() ?? '', password: password.current?.value ?? '' }
    if (given.email === '' || given.password === '') {
      setFaults({
        ...(given.email === '' && { email: 'sign_in.email_missing' }),
        ...(given.password === '' && { password: 'sign_in.password_missing' }),
      })
      ;(given.email === '' ? email : password).current?.focus()
      return
    }
    setAsking(true)
    setFaults({})
    try {
      const session = await api.signIn(given.email, given.password, code.current?.value.trim())
      // Another person may sign in at the same machine: nothing of the last one stays.
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
      client.setQueryData(keys.session, session)
    } catch (error) {
      setAsking(false)
      if (error instanceof Problem && error.code === 'totp_required') {
        setNeedsCode(true)
        return
      }
      setFaults({ whole: explain(error, t) })
      if (error instanceof Problem && error.code === 'wrong_code') {
        code.current?.focus()
        code.current?.select()
        return
      }
      password.current?.focus()
      password.current?.select()
    }
  }

  return (
    <Center component="main" mih="100dvh" p="md" className="sign-in">
      <Stack w="100%" maw={380} gap="lg">
        <Stack gap={4} align="center">
          <img src="/icon.svg" width={48} height={48} alt="" />
          <Title order={1} size="h2" mt={4}>
            {t('app.name')}
          </Title>
          <Text c="dimmed" ta="center">
            {isAgain ? t('sign_in.again') : t('sign_in.lead')}
          </Text>
        </Stack>
        <Paper withBorder p="lg" radius="lg" shadow="sm">
          <form onSubmit={(event) => void submit(event)} noValidate aria-label={t('sign_in.title')}>
            <Stack gap="md">
              {faults.whole && (
                <Alert color="red" variant="light" role="alert">
                  {faults.whole}
                </Alert>
              )}
              <TextInput
                ref={email}
                label={t('sign_in.email')}
                name="email"
                type="email"
                autoComplete="username"
                inputMode="email"
                spellCheck={false}
                autoFocus
                size="md"
                error={faults.email && t(faults.email)}
              />
              <PasswordInput
                ref={password}
                label={t('sign_in.password')}
                name="password"
                autoComplete="current-password"
                size="md"
                error={faults.password && t(faults.password)}
              />
              {needsCode && (
                <TextInput
                  ref={code}
                  label={t('code.label')}
                  description={t('code.hint')}
                  name="code"
                  autoComplete="one-time-code"
                  spellCheck={false}
                  autoFocus
                  size="md"
                />
              )}
              <Button type="submit" size="md" fullWidth loading={isAsking}>
                {t('sign_in.button')}
              </Button>
            </Stack>
          </form>
        </Paper>
        <Center>
          <LanguageChoice />
        </Center>
      </Stack>
    </Center>
  )
}

function explain(error: unknown, t: ReturnType<typeof useSpeech>['t']): string {
  if (!(error instanceof Problem) || error.status === 0) return t('sign_in.no_answer')
  if (error.code === 'wrong_code') return t('code.wrong')
  if (error.status === 401 || error.status === 403 || error.status === 422 || error.status === 400)
    return t('sign_in.wrong')
  if (error.status === 429) return t('sign_in.too_many')
  return `${error.message} ${error.requestId ? t('state.request', { id: error.requestId }) : ''}`
}
