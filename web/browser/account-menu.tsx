import {
  ActionIcon,
  Avatar,
  Button,
  Divider,
  Input,
  Popover,
  SegmentedControl,
  Stack,
  Text,
  useMantineColorScheme,
  type MantineColorScheme,
} from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import { IconLogout, IconSettings } from '@tabler/icons-react'
import { Link } from 'react-router'
import { api } from './api.ts'
import { careApi } from './care/api.ts'
import { initials } from './person.tsx'
import { keys } from './queries.ts'
import { useSession } from './session.ts'
import { languages, useSpeech, type Language } from './texts/index.tsx'

export function AccountMenu() {
  const { t } = useSpeech()
  const session = useSession()
  const client = useQueryClient()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const signOut = async (): Promise<void> => {
    try {
      await api.signOut()
      client.setQueryData(keys.session, null)
    } catch {
      notifications.show({ color: 'red', message: t('account.sign_out_failed') })
    }
  }
  const setAvailability = async (value: string): Promise<void> => {
    const is = availabilities.find((each) => each === value) ?? 'available'
    try {
      await careApi.availability(is)
      client.setQueryData(keys.session, { ...session, user: { ...session.user, availability: is } })
    } catch (error) {
      notifications.show({
        color: 'red',
        message: t('conversation.unchanged', { reason: error instanceof Error ? error.message : '' }),
      })
    }
  }
  return (
    <Popover position="right-end" width={280} shadow="md" trapFocus returnFocus transitionProps={{ duration: 80 }}>
      <Popover.Target>
        <ActionIcon
          variant="transparent"
          size={44}
          aria-label={`${initials(session.user.name)}, ${t('account.menu', { name: session.user.name })}`}
        >
          <Avatar
            size={34}
            color="harbour"
            variant="filled"
            aria-hidden
            className="own-avatar"
            data-availability={session.user.availability}
          >
            {initials(session.user.name)}
          </Avatar>
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('account.menu', { name: session.user.name })}>
        <Stack gap="sm">
          <div>
            <Text fw={600}>{session.user.name}</Text>
            <Text c="dimmed" truncate>
              {session.user.email}
            </Text>
            <Text c="dimmed" truncate>
              {session.account.name}
            </Text>
          </div>
          <Divider />
          <Input.Wrapper label={t('availability.title')} labelElement="div" description={t('availability.hint')}>
            <SegmentedControl
              size="xs"
              fullWidth
              mt={4}
              aria-label={t('availability.title')}
              value={session.user.availability}
              onChange={(value) => void setAvailability(value)}
              data={availabilities.map((value) => ({ value, label: t(`availability.${value}`) }))}
            />
          </Input.Wrapper>
          <Input.Wrapper label={t('account.language')} labelElement="div">
            <LanguageChoice isWide />
          </Input.Wrapper>
          <Input.Wrapper label={t('account.scheme')} labelElement="div">
            <SegmentedControl
              size="xs"
              fullWidth
              aria-label={t('account.scheme')}
              value={colorScheme}
              onChange={(value) => setColorScheme(schemes.find((scheme) => scheme === value) ?? 'auto')}
              data={schemes.map((value) => ({ value, label: t(`account.scheme_${value}`) }))}
            />
          </Input.Wrapper>
          <Divider />
          <Button component={Link} to="/settings/profile" variant="default" leftSection={<IconSettings size={18} />}>
            {t('place.settings')}
          </Button>
          <Button variant="default" leftSection={<IconLogout size={18} />} onClick={() => void signOut()}>
            {t('account.sign_out')}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

const availabilities = ['available', 'away', 'offline'] as const
const schemes: readonly MantineColorScheme[] = ['auto', 'light', 'dark']

export function LanguageChoice({ isWide = false }: { readonly isWide?: boolean }) {
  const { t, language, setLanguage } = useSpeech()
  return (
    <SegmentedControl
      size="xs"
      fullWidth={isWide}
      aria-label={t('account.language')}
      value={language}
      onChange={(value) => setLanguage(value as Language)}
      data={Object.entries(languages).map(([value, { name }]) => ({ value, label: name }))}
    />
  )
}
