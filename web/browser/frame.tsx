/** The frame around every place: the rail, the live line, the palette and the keys that work everywhere. */
import { ActionIcon, Tooltip, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { spotlight } from '@mantine/spotlight'
import { useQueryClient } from '@tanstack/react-query'
import {
  IconAddressBook,
  IconCalendarMonth,
  IconDeviceMobileMessage,
  IconInbox,
  IconListDetails,
  IconListSearch,
  IconPlugConnected,
  IconSearch,
  IconSettings,
} from '@tabler/icons-react'
import { lazy, Suspense, useEffect, useRef, useState, type ComponentType, type ReactNode } from 'react'
import { NavLink, useNavigate } from 'react-router'
import type { PersonJson } from '../presenters/people.ts'
import { AccountMenu } from './account-menu.tsx'
import { whenConfirmationNeeded, type Page } from './api.ts'
import { announce, Announcer } from './announcer.tsx'
import { careApi } from './care/api.ts'
import { useQuestion } from './care/choose.ts'
import { careKeys } from './care/queries.ts'
import { listenToKeys, useActions, type Action } from './keyboard.ts'
import { makeLiveListener } from './live-cache.ts'
import { followEvents } from './live.ts'
import { LiveMark, OfflineBanner } from './live-mark.tsx'
import { useSession } from './session.ts'
import { useSpeech, type Key } from './texts/index.tsx'

const ConfirmPassword = lazy(async () => ({ default: (await import('./confirm-password.tsx')).ConfirmPassword }))
const Palette = lazy(async () => ({ default: (await import('./palette.tsx')).Palette }))
const Chooser = lazy(async () => ({ default: (await import('./care/chooser.tsx')).Chooser }))
const Help = lazy(async () => ({ default: (await import('./help.tsx')).Help }))

export function Frame({ children }: { readonly children: ReactNode }) {
  const { t } = useSpeech()
  const session = useSession()
  const client = useQueryClient()
  const [isHelpOpen, setHelpOpen] = useState(false)
  const [isPaletteWanted, setPaletteWanted] = useState(false)
  const [confirmFirst, setConfirmFirst] = useState<(isConfirmed: boolean) => void>()
  const isChoosing = useQuestion() !== undefined
  const openPalette = (): void => {
    setPaletteWanted(true)
    spotlight.toggle()
  }
  const navigate = useNavigate()
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')

  const latest = useRef<(conversationId: string, by: string | undefined) => void>(() => undefined)
  useEffect(() => {
    latest.current = (conversationId, by) => void tell(conversationId, by)
    const tell = async (conversationId: string, by: string | undefined): Promise<void> => {
      const find = (page: Page<PersonJson> | undefined) => page?.items.find(({ id }) => id === by)
      const known = find(client.getQueryData(careKeys.people))
      // Whoever came after the page was opened.
      const person = known ?? find(await careApi.users().catch(() => undefined))
      if (!known && person) void client.invalidateQueries({ queryKey: careKeys.people })
      const name = person?.name ?? t('presence.somebody')
      notifications.show({
        message: (
          <UnstyledButton
            className="link-button"
            onClick={() => {
              notifications.clean()
              void navigate(`/inbox/${conversationId}?view=mentions`)
            }}
          >
            {t('care.mentioned', { name })}
          </UnstyledButton>
        ),
        closeButtonProps: { 'aria-label': t('help.close') },
      })
    }
  })

  useEffect(() => listenToKeys(), [])
  useEffect(() => whenConfirmationNeeded(() => new Promise((resolve) => setConfirmFirst(() => resolve))), [])
  useEffect(() => {
    const listener = makeLiveListener(
      client,
      ({ message }) => announce('message.new', { name: message.contact_name ?? '' }),
      (conversationId, by) => latest.current(conversationId, by),
    )
    return followEvents(listener)
  }, [client, session.user.id])
  useEffect(() => () => notifications.clean(), [])

  const go = (id: string, label: Key, keys: string, path: string): Action => ({
    id,
    label,
    keys,
    group: 'group.go',
    run: () => void navigate(path),
  })
  useActions([
    go('go-inbox', 'action.go_inbox', 'g i', '/inbox'),
    go('go-calendar', 'action.go_calendar', 'g l', '/calendar'),
    go('go-contacts', 'action.go_contacts', 'g p', '/contacts'),
    go('go-search', 'action.search_all', 'g /', '/search'),
    go('go-channels', 'action.go_channels', 'g c', '/channels'),
    go('go-received', 'action.go_received', 'g r', '/received'),
    go('go-settings', 'action.go_settings', 'g s', '/settings/profile'),
    { id: 'help', label: 'action.help', keys: '?', group: 'group.general', run: () => setHelpOpen(true) },
    {
      id: 'scheme',
      label: 'action.scheme',
      group: 'group.general',
      run: () => setColorScheme(scheme === 'dark' ? 'light' : 'dark'),
    },
    {
      id: 'palette',
      label: 'palette.open',
      keys: 'mod+k',
      group: 'group.general',
      isKeyOnly: true,
      isForDialogs: true,
      run: () => openPalette(),
    },
  ])

  return (
    <div className="frame">
      <a href="#content" className="skip">
        {t('place.skip')}
      </a>
      <nav className="rail" aria-label={t('place.navigation')}>
        <NavLink to="/inbox" className="rail-logo" aria-label={t('app.name')}>
          <img src="/icon.svg" width={32} height={32} alt="" />
        </NavLink>
        <div className="rail-places">
          <Place to="/inbox" label="place.inbox" icon={IconInbox} />
          {session.permissions.includes('posts.read') && (
            <Place to="/calendar" label="place.calendar" icon={IconCalendarMonth} />
          )}
          {session.permissions.includes('contacts.read') && (
            <Place to="/contacts" label="place.contacts" icon={IconAddressBook} />
          )}
          <Place to="/search" label="place.search" icon={IconListSearch} />
          <Place to="/channels" label="place.channels" icon={IconPlugConnected} />
          <Place to="/received" label="place.received" icon={IconListDetails} />
          <Place to="/settings/profile" label="place.settings" icon={IconSettings} />
          {session.demo && <Place to="/sandbox/phone" label="place.phone" icon={IconDeviceMobileMessage} isOutside />}
        </div>
        <div className="rail-end">
          <Tooltip label={`${t('palette.open')} (Ctrl K)`} position="right">
            <ActionIcon
              variant="subtle"
              color="gray"
              size={44}
              aria-label={t('palette.open')}
              onClick={openPalette}
              className="rail-search"
            >
              <IconSearch size={22} />
            </ActionIcon>
          </Tooltip>
          <LiveMark />
          <AccountMenu />
        </div>
      </nav>
      <main id="content" tabIndex={-1} className="content">
        <OfflineBanner />
        {children}
      </main>
      <Announcer />
      <Suspense>
        {isHelpOpen && <Help isOpen close={() => setHelpOpen(false)} />}
        {/* Each is fetched when it is first needed. */}
        {confirmFirst && <ConfirmPassword first={confirmFirst} />}
        {isPaletteWanted && <Palette />}
        {isChoosing && <Chooser />}
      </Suspense>
    </div>
  )
}

interface PlaceProps {
  readonly to: string
  readonly label: Key
  readonly icon: ComponentType<{ size: number; stroke?: number; 'aria-hidden'?: boolean }>
  readonly isOutside?: boolean
}

function Place({ to, label, icon: Icon, isOutside = false }: PlaceProps) {
  const { t } = useSpeech()
  const body = (
    <>
      <Icon size={24} stroke={1.7} aria-hidden />
      <span className="rail-label">{t(label)}</span>
    </>
  )
  return isOutside ? (
    <a href={to} target="_blank" rel="noreferrer" className="rail-place">
      {body}
    </a>
  ) : (
    <NavLink to={to} className="rail-place">
      {body}
    </NavLink>
  )
}
