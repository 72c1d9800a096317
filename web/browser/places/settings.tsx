/** The settings: one's own profile, and what belongs to people. */
import { Text } from '@mantine/core'
import { lazy, Suspense, type ReactNode } from 'react'
import { Navigate, NavLink, Route, Routes } from 'react-router'
import { useSession } from '../session.ts'
import { Missing, Opening } from '../states.tsx'
import { useSpeech, type Key } from '../texts/index.tsx'
import { AuditLog } from './settings-audit.tsx'
import { Profile } from './settings-profile.tsx'
import { Roles } from './settings-roles.tsx'
import { Teams } from './settings-teams.tsx'
import { Users } from './settings-users.tsx'

// They come with texts and editors of their own.
const Rules = lazy(async () => ({ default: (await import('./settings-rules.tsx')).Rules }))
const Hours = lazy(async () => ({ default: (await import('./settings-hours.tsx')).Hours }))
const CannedReplies = lazy(async () => ({ default: (await import('./settings-canned.tsx')).CannedReplies }))
const Macros = lazy(async () => ({ default: (await import('./settings-macros.tsx')).Macros }))

const parts: readonly { readonly path: string; readonly label: Key; readonly needs?: string }[] = [
  { path: 'profile', label: 'settings.profile' },
  { path: 'users', label: 'settings.users', needs: 'users.read' },
  { path: 'teams', label: 'settings.teams', needs: 'users.read' },
  { path: 'roles', label: 'settings.roles', needs: 'users.read' },
  { path: 'rules', label: 'settings.rules', needs: 'rules.manage' },
  { path: 'hours', label: 'settings.hours', needs: 'rules.manage' },
  { path: 'replies', label: 'settings.replies', needs: 'conversations.read' },
  { path: 'macros', label: 'settings.macros', needs: 'conversations.read' },
  { path: 'audit', label: 'settings.audit', needs: 'audit.read' },
]

export function Settings() {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const open = parts.filter(({ needs }) => needs === undefined || permissions.includes(needs))
  const guard = (path: string, place: ReactNode) =>
    open.some((part) => part.path === path) ? place : <Text c="dimmed">{t('settings.not_allowed')}</Text>
  return (
    <div className="place">
      <div className="place-inner">
        <nav className="settings-parts" aria-label={t('place.settings')}>
          {open.map(({ path, label }) => (
            <NavLink key={path} to={`/settings/${path}`}>
              {t(label)}
            </NavLink>
          ))}
        </nav>
        <Suspense fallback={<Opening />}>
          <Routes>
            <Route path="" element={<Navigate to="/settings/profile" replace />} />
            <Route path="profile" element={<Profile />} />
            <Route path="users" element={guard('users', <Users />)} />
            <Route path="teams" element={guard('teams', <Teams />)} />
            <Route path="roles" element={guard('roles', <Roles />)} />
            <Route path="rules" element={guard('rules', <Rules />)} />
            <Route path="hours" element={guard('hours', <Hours />)} />
            <Route path="replies" element={guard('replies', <CannedReplies />)} />
            <Route path="macros" element={guard('macros', <Macros />)} />
            <Route path="audit" element={guard('audit', <AuditLog />)} />
            <Route path="*" element={<Missing />} />
          </Routes>
        </Suspense>
      </div>
    </div>
  )
}
