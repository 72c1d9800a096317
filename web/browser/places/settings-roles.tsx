/** What each role may do: a matrix to read, and roles of one's own. */
import { Button, Checkbox, Fieldset, Group, Switch, Table, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconCheck, IconMinus, IconPlus } from '@tabler/icons-react'
import { Fragment, useState } from 'react'
import type { RoleJson } from '../../presenters/people.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { lists, peopleApi } from './people-api.ts'
import { Dialog, PartHead, Shown, useAct, useRoleName } from './people-parts.tsx'

export function Roles() {
  const { t } = useSpeech()
  const mayManage = useSession().permissions.includes('roles.manage')
  const query = useQuery(lists.roles)
  const [changing, setChanging] = useState<RoleJson | 'new'>()
  return (
    <>
      <PartHead title="settings.roles" lead="roles.lead">
        {mayManage && (
          <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setChanging('new')}>
            {t('roles.new')}
          </Button>
        )}
      </PartHead>
      <Shown query={query}>
        {({ items }) => (
          <>
            <Matrix roles={items} change={mayManage ? setChanging : undefined} />
            {changing && (
              <ChangeRole
                key={changing === 'new' ? 'new' : changing.id}
                role={changing === 'new' ? undefined : changing}
                all={allOf(items)}
                close={() => setChanging(undefined)}
              />
            )}
          </>
        )}
      </Shown>
    </>
  )
}

/** An administrator has all there are, in the order of the list. */
const allOf = (roles: readonly RoleJson[]): readonly string[] =>
  roles.find(({ id }) => id === 'administrator')?.permissions ?? []

const groupsOf = (permissions: readonly string[]): [string, string[]][] => [
  ...Map.groupBy(permissions, (permission) => permission.split('.')[0] ?? ''),
]

function Matrix({
  roles,
  change,
}: {
  readonly roles: readonly RoleJson[]
  readonly change: ((role: RoleJson) => void) | undefined
}) {
  const { t } = useSpeech()
  const roleName = useRoleName()
  return (
    <Table.ScrollContainer minWidth={340 + 90 * roles.length} className="matrix" scrollAreaProps={{ tabIndex: 0 }}>
      <Table stickyHeader verticalSpacing={5}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('roles.permission')}</Table.Th>
            {roles.map((role) => (
              <Table.Th key={role.id} ta="center">
                <div>{roleName(role)}</div>
                <Text c="dimmed">{t('roles.people', { count: role.user_count })}</Text>
                {change && (
                  <Button
                    size="compact-sm"
                    variant="subtle"
                    aria-label={`${t('settings.change')}: ${roleName(role)}`}
                    onClick={() => change(role)}
                  >
                    {t('settings.change')}
                  </Button>
                )}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          <Row name={t('roles.totp')} roles={roles} has={(role) => role.requires_totp} />
          {groupsOf(allOf(roles)).map(([noun, permissions]) => (
            <Fragment key={noun}>
              {permissions.map((permission) => (
                <Row
                  key={permission}
                  name={permission}
                  isCode
                  roles={roles}
                  has={(role) => role.permissions.some((each) => each === permission)}
                />
              ))}
            </Fragment>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Row({
  name,
  isCode = false,
  roles,
  has,
}: {
  readonly name: string
  readonly isCode?: boolean
  readonly roles: readonly RoleJson[]
  readonly has: (role: RoleJson) => boolean
}) {
  const { t } = useSpeech()
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={400}>
        {isCode ? <code>{name}</code> : name}
      </Table.Th>
      {roles.map((role) => (
        <Table.Td key={role.id} ta="center" className={has(role) ? 'may' : 'may-not'}>
          {has(role) ? (
            <IconCheck size={18} aria-label={t('roles.yes')} role="img" />
          ) : (
            <IconMinus size={16} aria-label={t('roles.no')} role="img" />
          )}
        </Table.Td>
      ))}
    </Table.Tr>
  )
}

function ChangeRole({
  role,
  all,
  close,
}: {
  readonly role: RoleJson | undefined
  readonly all: readonly string[]
  readonly close: () => void
}) {
  const { t } = useSpeech()
  const roleName = useRoleName()
  const [name, setName] = useState(role?.name ?? '')
  const [permissions, setPermissions] = useState<string[]>([...(role?.permissions ?? [])])
  const [needsTotp, setNeedsTotp] = useState(role?.requires_totp ?? false)
  const isBuiltIn = role?.is_built_in === true
  const save = useAct(
    () => {
      const whole = { name, permissions, requires_totp: needsTotp }
      if (role === undefined) return peopleApi.createRole(whole)
      return peopleApi.changeRole(role.id, isBuiltIn ? { requires_totp: needsTotp } : whole)
    },
    () => close(),
  )
  const remove = useAct(
    () => peopleApi.removeRole(role?.id ?? ''),
    () => close(),
  )
  return (
    <Dialog
      title={role === undefined ? t('roles.new') : t('roles.change_title', { name: roleName(role) })}
      isOpen
      close={close}
      save={() => {
        if (isBuiltIn || name.trim() !== '') save.mutate(undefined)
      }}
      isSaving={save.isPending}
      error={save.error ?? remove.error}
    >
      {!isBuiltIn && (
        <TextInput
          label={t('roles.name')}
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
      )}
      <Switch
        label={t('roles.totp')}
        checked={needsTotp}
        onChange={(event) => setNeedsTotp(event.currentTarget.checked)}
      />
      {!isBuiltIn && (
        <Checkbox.Group value={permissions} onChange={setPermissions}>
          {groupsOf(all).map(([noun, of]) => (
            <Fieldset key={noun} legend={noun} variant="unstyled" mb="xs">
              <Group gap="sm">
                {of.map((permission) => (
                  <Checkbox key={permission} value={permission} label={permission.split('.')[1]} />
                ))}
              </Group>
            </Fieldset>
          ))}
        </Checkbox.Group>
      )}
      {role !== undefined && !isBuiltIn && (
        <Group>
          <Button variant="subtle" color="red" loading={remove.isPending} onClick={() => remove.mutate(undefined)}>
            {t('roles.remove')}
          </Button>
        </Group>
      )}
    </Dialog>
  )
}
