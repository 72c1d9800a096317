/** What stands where nothing else can: opening, empty, failed, missing, broken. Each says what to do. */
import { Alert, Button, Center, Code, Loader, Stack, Text, Title } from '@mantine/core'
import { IconPlugConnectedX, IconRefresh } from '@tabler/icons-react'
import { Component, use, type ReactNode } from 'react'
import { Link } from 'react-router'
import { Problem } from './api.ts'
import { SpeechContext, useSpeech } from './texts/index.tsx'

export function Opening() {
  const { t } = useSpeech()
  return (
    <Center className="opening" role="status" aria-label={t('state.loading')}>
      <Loader size="sm" type="dots" />
    </Center>
  )
}

interface EmptyProps {
  readonly icon: ReactNode
  readonly title: string
  readonly hint?: string | undefined
  readonly children?: ReactNode
}

export function Empty({ icon, title, hint, children }: EmptyProps) {
  return (
    <Stack align="center" gap={6} className="empty">
      <div className="empty-icon" aria-hidden>
        {icon}
      </div>
      <Text fw={600}>{title}</Text>
      {hint && (
        <Text c="dimmed" maw="44ch">
          {hint}
        </Text>
      )}
      {children && (
        <Stack align="center" gap={6} mt="sm">
          {children}
        </Stack>
      )}
    </Stack>
  )
}

/** What happened, what is safe, what to do, and the request id to quote. */
export function Failure({
  error,
  again,
  isWhole = false,
}: {
  readonly error: Error | null
  readonly again: () => void
  readonly isWhole?: boolean
}) {
  const { t } = useSpeech()
  const problem = error instanceof Problem ? error : undefined
  const body = (
    <Alert
      color="red"
      variant="light"
      icon={<IconPlugConnectedX size={20} />}
      title={t('state.error')}
      role="alert"
      maw={480}
      className="failure"
    >
      <Text>{problem?.status === 0 ? t('state.no_answer') : (error?.message ?? '')}</Text>
      <Text>{t('state.safe')}</Text>
      {problem?.requestId && (
        <Text mt={4} className="mark-text">
          {t('state.request', { id: problem.requestId })}
        </Text>
      )}
      <Button mt="sm" size="xs" variant="default" leftSection={<IconRefresh size={16} />} onClick={again}>
        {t('state.again')}
      </Button>
    </Alert>
  )
  return isWhole ? (
    <Center component="main" mih="100dvh" p="md">
      {body}
    </Center>
  ) : (
    <Center p="md">{body}</Center>
  )
}

export function Missing() {
  const { t } = useSpeech()
  return (
    <Center h="100%" p="md">
      <Stack align="center" gap={4}>
        <Title order={1} size="h3">
          {t('place.missing')}
        </Title>
        <Text c="dimmed">{t('place.missing_hint')}</Text>
        <Button mt="sm" component={Link} to="/inbox" variant="default">
          {t('place.to_inbox')}
        </Button>
      </Stack>
    </Center>
  )
}

/** Catches what breaks while drawing, so that the page never goes white in silence. */
export class Mended extends Component<{ readonly children: ReactNode }, { readonly error: Error | undefined }> {
  override state: { readonly error: Error | undefined } = { error: undefined }
  static getDerivedStateFromError(error: Error) {
    return { error }
  }
  override render() {
    return this.state.error ? <Broken error={this.state.error} /> : this.props.children
  }
}

function Broken({ error }: { readonly error: Error }) {
  const t = use(SpeechContext)?.t
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack align="center" gap="xs" role="alert" ta="center">
        <Title order={1} size="h3">
          {t?.('state.broken')}
        </Title>
        <Text maw="44ch">{t?.('state.broken_hint')}</Text>
        <Code>{error.message}</Code>
        <Button onClick={() => location.reload()}>{t?.('state.reload')}</Button>
      </Stack>
    </Center>
  )
}
