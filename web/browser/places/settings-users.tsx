/** Who works here: invited, changed, disabled. */
import { ActionIcon, Avatar, Badge, Button, Menu, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconDots, IconUserPlus } from '@tabler/icons-react'
import { useState } from 'react'
import type { PersonJson } from '../../presenters/people.ts'
import { useNow } from '../clock.ts'
import { initials } from '../person.tsx'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { lists, peopleApi } from './people-api.ts'
import { Dialog, PartHead, Shown, ShownOnce, useAct, useRoleName } from './people-parts.tsx'
import { UserRights } from './user-rights.tsx'

interface ShownLink {
  readonly url: string
  readonly lead: string
}

export function Users() {
  const { t } = useSpeech()
  const mayManage = useSession().permissions.includes('users.manage')
  const query = useQuery(mayManage ? lists.allUsers : lists.users)
  const [isInviting, setInviting] = useState(false)
  const [link, setLink] = useState<ShownLink>()
  return (
    <>
      <PartHead title="settings.users" lead="users.lead">
        {mayManage && (
          <Button leftSection={<IconUserPlus size={18} aria-hidden />} onClick={() => setInviting(true)}>
            {t('users.invite')}
          </Button>
        )}
      </PartHead>
      <Shown query={query}>
        {({ items }) => (
          <ul className="cards" aria-label={t('settings.users')}>
            {items.map((user) => (
              <UserRow key={user.id} user={user} mayManage={mayManage} showLink={setLink} />
            ))}
          </ul>
        )}
      </Shown>
      {mayManage && <Invitations />}
      {isInviting && (
        <UserRights
          user={undefined}
          close={() => setInviting(false)}
          invited={(url, email) => setLink({ url, lead: t('users.link_invite', { email }) })}
        />
      )}
      {link && (
        <ShownOnce
          title={t('users.link_title')}
          lead={link.lead}
          name={t('users.link_title')}
          value={link.url}
          close={() => setLink(undefined)}
        />
      )}
    </>
  )
}

interface RowProps {
  readonly user: PersonJson
  readonly mayManage: boolean
  readonly showLink: (link: ShownLink) => void
}

function UserRow({ user, mayManage, showLink }: RowProps) {
  const { t, times } = useSpeech()
  const now = useNow()
  const me = useSession().user.id
  const roleName = useRoleName()
  const roles = useQuery(lists.roles)
  const [isChanging, setChanging] = useState(false)
  const [isDisabling, setDisabling] = useState(false)
  const role = roles.data?.items.find(({ id }) => id === user.role)
  const facts = [
    user.seen_at === null ? t('users.never') : t('users.seen', { time: times.relative(user.seen_at, now) }),
    ...(user.channel_ids === null ? [] : [t('users.limited_channels', { count: user.channel_ids.length })]),
    ...(user.is_team_limited ? [t('users.limited_teams')] : []),
    ...(user.has_totp ? [t('users.with_totp')] : []),
  ]
  const isDisabled = user.disabled_at !== null
  return (
    <li className="card-row" data-over={isDisabled || undefined}>
      <Avatar size={34} color="harbour" variant="light" aria-hidden>
        {initials(user.name)}
      </Avatar>
      <div className="card-main">
        <div>
          <span className="channel-name">{user.name}</span>
          {user.id === me && <span className="card-side"> ({t('users.you')})</span>}
        </div>
        <div className="card-side">
          {user.email} · {facts.join(' · ')}
        </div>
      </div>
      {isDisabled && (
        <Badge color="gray" variant="light" tt="none">
          {t('users.disabled')}
        </Badge>
      )}
      <span className="role-name">{roleName(role ?? { id: user.role, name: '' })}</span>
      {mayManage && (
        <UserMenu user={user} change={() => setChanging(true)} disable={() => setDisabling(true)} showLink={showLink} />
      )}
      {isChanging && <UserRights user={user} close={() => setChanging(false)} />}
      {isDisabling && <Disable user={user} close={() => setDisabling(false)} />}
    </li>
  )
}

function UserMenu({
  user,
  change,
  disable,
  showLink,
}: Omit<RowProps, 'mayManage'> & { readonly change: () => void; readonly disable: () => void }) {
  const { t } = useSpeech()
  const me = useSession().user.id
  const link = useAct(peopleApi.passwordLink, ({ url }) =>
    showLink({ url, lead: t('users.link_password', { email: user.email }) }),
  )
  const dropTotp = useAct(peopleApi.dropTotp)
  const enable = useAct(() => peopleApi.changeUser(user.id, { is_disabled: false }))
  const isDisabled = user.disabled_at !== null
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={36} aria-label={t('users.menu', { name: user.name })}>
          <IconDots size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={change}>{t('settings.change')}</Menu.Item>
        {!isDisabled && <Menu.Item onClick={() => link.mutate(user.id)}>{t('users.password_link')}</Menu.Item>}
        {user.has_totp && <Menu.Item onClick={() => dropTotp.mutate(user.id)}>{t('users.drop_totp')}</Menu.Item>}
        {isDisabled && <Menu.Item onClick={() => enable.mutate(undefined)}>{t('users.enable')}</Menu.Item>}
        {!isDisabled && user.id !== me && (
          <Menu.Item color="red" onClick={disable}>
            {t('users.disable')}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}

function Disable({ user, close }: { readonly user: PersonJson; readonly close: () => void }) {
  const { t } = useSpeech()
  const disable = useAct(() => peopleApi.changeUser(user.id, { is_disabled: true }), close)
  return (
    <Dialog
      title={t('users.disable_title', { name: user.name })}
      isOpen
      close={close}
      save={() => disable.mutate(undefined)}
      saveLabel="users.disable"
      isSaving={disable.isPending}
      error={disable.error}
      isDangerous
    >
      <Text>{t('users.disable_lead')}</Text>
    </Dialog>
  )
}

function Invitations() {
  const { t, times } = useSpeech()
  const now = useNow()
  const roleName = useRoleName()
  const query = useQuery(lists.invitations)
  const roles = useQuery(lists.roles)
  const withdraw = useAct(peopleApi.withdraw)
  if (query.data?.items.length === 0) return null
  return (
    <section aria-label={t('users.invitations')}>
      <Title order={2} size="h4" className="place-part">
        {t('users.invitations')}
      </Title>
      <Shown query={query}>
        {({ items }) => (
          <ul className="cards" aria-label={t('users.invitations')}>
            {items.map((invitation) => (
              <li key={invitation.id} className="card-row">
                <div className="card-main">
                  <div>{invitation.email}</div>
                  <div className="card-side">
                    {roleName(
                      roles.data?.items.find(({ id }) => id === invitation.role) ?? { id: invitation.role, name: '' },
                    )}
                    {' · '}
                    {t('users.until', { time: times.day(invitation.expires_at, now) })}
                  </div>
                </div>
                <Button
                  size="compact-md"
                  variant="default"
                  loading={withdraw.isPending && withdraw.variables === invitation.id}
                  onClick={() => withdraw.mutate(invitation.id)}
                >
                  {t('users.withdraw')}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </section>
  )
}
