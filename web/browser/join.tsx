/** Where a link leads: joining with a name and a password, or setting a new password. */
import { Alert, Button, Center, Loader, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode, type SyntheticEvent } from 'react'
import { LanguageChoice } from './account-menu.tsx'
import { Problem } from './api.ts'
import { peopleApi } from './places/people-api.ts'
import { Failure } from './states.tsx'
import { useSpeech } from './texts/index.tsx'

export function Join() {
  const { t, language } = useSpeech()
  const [token] = useState(() => location.hash.slice(1))
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const look = useQuery({ queryKey: ['join', token], queryFn: () => peopleApi.look(token), retry: false, gcTime: 0 })
  const join = useMutation({
    mutationFn: () => peopleApi.join({ token, password, language, ...(isNew && { name }) }),
    // The link is used up: it need not stay in the history.
    onSuccess: () => history.replaceState(null, '', '/join'),
  })
  const isNew = look.data?.kind === 'invitation'
  useEffect(() => {
    document.title = t('app.name')
  }, [t])

  if (look.isPending)
    return (
      <Around>
        <Loader aria-label={t('state.loading')} />
      </Around>
    )
  if (look.isError) {
    const isUnknown = look.error instanceof Problem && (look.error.status === 404 || look.error.status === 422)
    if (!isUnknown) return <Failure error={look.error} again={() => void look.refetch()} isWhole />
    return (
      <Around>
        <Title order={1} size="h3">
          {t('join.bad')}
        </Title>
        <Text c="dimmed">{t('join.bad_hint')}</Text>
        <Button component="a" href="/" variant="default">
          {t('join.to_sign_in')}
        </Button>
      </Around>
    )
  }
  const { email, account } = look.data
  if (join.isSuccess)
    return (
      <Around>
        <Text>{t('join.done', { email })}</Text>
        <Button component="a" href="/">
          {t('join.to_sign_in')}
        </Button>
      </Around>
    )
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault()
    join.mutate()
  }
  return (
    <Around>
      <Title order={1} size="h3">
        {isNew ? t('join.title', { account }) : t('join.again_title')}
      </Title>
      <Text c="dimmed">{t(isNew ? 'join.lead' : 'join.again_lead', { email, account })}</Text>
      <form onSubmit={submit} noValidate>
        <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
        <Stack gap="md">
          {join.error && (
            <Alert color="red" variant="light" role="alert">
              {join.error.message}
            </Alert>
          )}
          {isNew && (
            <TextInput
              label={t('join.name')}
              autoComplete="name"
              maxLength={200}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              autoFocus
            />
          )}
          <PasswordInput
            label={t('join.password')}
            description={t('join.rule')}
            autoComplete="new-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Button
            type="submit"
            fullWidth
            loading={join.isPending}
            disabled={password.length < 12 || (isNew && name.trim() === '')}
          >
            {t(isNew ? 'join.button' : 'join.again_button')}
          </Button>
        </Stack>
      </form>
    </Around>
  )
}

function Around({ children }: { readonly children: ReactNode }) {
  return (
    <Center component="main" mih="100dvh" p="md" className="sign-in">
      <Stack w="100%" maw={420} gap="lg">
        <Center>
          <img src="/icon.svg" width={48} height={48} alt="" />
        </Center>
        <Paper withBorder p="lg" radius="lg" shadow="sm">
          <Stack gap="md">{children}</Stack>
        </Paper>
        <Center>
          <LanguageChoice />
        </Center>
      </Stack>
    </Center>
  )
}
