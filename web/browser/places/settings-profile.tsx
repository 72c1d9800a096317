/** My profile: what others see of me, and how I sign in. */
import { Button, Group, NativeSelect, PasswordInput, Stack, TextInput, Title } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState, type SyntheticEvent } from 'react'
import { keys } from '../queries.ts'
import { useSession } from '../session.ts'
import { languages, useSpeech, type Language } from '../texts/index.tsx'
import { OwnSessions } from './own-sessions.tsx'
import { OwnTokens } from './own-tokens.tsx'
import { peopleApi } from './people-api.ts'
import { PartHead, useAct } from './people-parts.tsx'
import { SecondFactor } from './second-factor.tsx'
import { useTell } from './use-tell.ts'

const zones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]

export function Profile() {
  return (
    <>
      <PartHead title="settings.profile" lead="profile.lead" />
      <About />
      <Password />
      <SecondFactor />
      <OwnSessions />
      <OwnTokens />
    </>
  )
}

function About() {
  const { t, setLanguage } = useSpeech()
  const { user } = useSession()
  const client = useQueryClient()
  const tell = useTell()
  const [name, setName] = useState(user.name)
  const [language, choose] = useState(user.language)
  const [zone, setZone] = useState(user.time_zone)
  const save = useAct(peopleApi.changeProfile, () => {
    tell.done(t('settings.saved'))
    const known = Object.keys(languages).find((each) => each === language)
    if (known !== undefined) setLanguage(known as Language)
    void client.invalidateQueries({ queryKey: keys.session })
  })
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault()
    save.mutate({ name, language, time_zone: zone })
  }
  return (
    <section aria-label={t('profile.about')}>
      <form onSubmit={submit} noValidate>
        <Stack gap="sm" maw={440}>
          <TextInput
            label={t('profile.name')}
            value={name}
            maxLength={200}
            onChange={(event) => setName(event.currentTarget.value)}
            error={name.trim() === '' && t('settings.required')}
            autoComplete="name"
          />
          <NativeSelect
            label={t('profile.language')}
            value={language}
            onChange={(event) => choose(event.currentTarget.value)}
            data={Object.entries(languages).map(([value, each]) => ({ value, label: each.name }))}
          />
          <NativeSelect
            label={t('profile.zone')}
            value={zone}
            onChange={(event) => setZone(event.currentTarget.value)}
            data={zones}
          />
          <Group>
            <Button type="submit" loading={save.isPending} disabled={name.trim() === ''}>
              {t('settings.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </section>
  )
}

function Password() {
  const { t } = useSpeech()
  const { user } = useSession()
  const tell = useTell()
  const [password, setPassword] = useState('')
  const save = useAct(peopleApi.setPassword, () => {
    setPassword('')
    tell.done(t('profile.password_set'))
  })
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault()
    save.mutate(password)
  }
  return (
    <section aria-label={t('profile.password')}>
      <Title order={2} size="h4" className="place-part">
        {t('profile.password')}
      </Title>
      <form onSubmit={submit} noValidate>
        <input type="text" name="username" autoComplete="username" value={user.email} readOnly hidden />
        <Stack gap="sm" maw={440}>
          <PasswordInput
            label={t('profile.new_password')}
            description={t('join.rule')}
            value={password}
            autoComplete="new-password"
            onChange={(event) => setPassword(event.currentTarget.value)}
            error={save.error?.message}
          />
          <Group>
            <Button type="submit" variant="default" loading={save.isPending} disabled={password.length < 12}>
              {t('profile.set_password')}
            </Button>
          </Group>
        </Stack>
      </form>
    </section>
  )
}
