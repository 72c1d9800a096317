/** Connecting a channel, in few steps: network, app, permission, choice, check. Every step has an address of its own. */
import { Alert, Skeleton, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconArrowLeft } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { api } from '../api.ts'
import { ChannelMark } from '../person.tsx'
import { keys } from '../queries.ts'
import { Failure } from '../states.tsx'
import { useSpeech, type Key } from '../texts/index.tsx'
import type { ChannelType } from './channels-api.ts'
import { ConnectApp } from './connect-app.tsx'
import { ConnectChoice } from './connect-choice.tsx'
import { ConnectDone } from './connect-done.tsx'
import { ConnectPermission } from './connect-permission.tsx'

const types = ['facebook', 'instagram', 'whatsapp', 'x'] as const
const steps = ['network', 'app', 'permission', 'choice', 'check'] as const
type Step = (typeof steps)[number]

const problems: Readonly<Record<string, Key>> = {
  denied: 'connect.problem_denied',
  expired: 'connect.problem_expired',
  refused: 'connect.problem_refused',
}

export function Connect() {
  const { t } = useSpeech()
  const navigate = useNavigate()
  const [search] = useSearchParams()
  const reconnected = search.get('channel') ?? undefined
  const done = search.getAll('done')
  const attempt = search.get('attempt') ?? undefined
  const channels = useQuery({ queryKey: keys.channels, queryFn: ({ signal }) => api.channels(signal) })
  const apps = useQuery({ queryKey: keys.apps, queryFn: ({ signal }) => api.apps(signal) })
  const known = channels.data?.items.find(({ id }) => id === reconnected)
  const type = known?.type ?? types.find((each) => each === search.get('type'))
  const app = apps.data?.items.find(({ id }) => id === (known?.app_id ?? search.get('app')))
  const step: Step =
    done.length > 0
      ? 'check'
      : attempt
        ? 'choice'
        : type === undefined
          ? 'network'
          : app === undefined
            ? 'app'
            : 'permission'
  const problem = search.get('problem')
  const [said] = useState(takeSaid)
  useEffect(() => {
    document.title = `${t('connect.title')} · ${t('app.name')}`
  }, [t])
  // Whoever listens is taken along to the next step.
  const place = useRef<HTMLDivElement>(null)
  const shown = useRef(step)
  useEffect(() => {
    if (shown.current !== step) place.current?.focus()
    shown.current = step
  }, [step])
  const go = (values: Readonly<Record<string, string>>): void =>
    void navigate({ pathname: '/channels/connect', search: new URLSearchParams(values).toString() })
  const finish = (ids: readonly string[]): void =>
    void navigate({
      pathname: '/channels/connect',
      search: new URLSearchParams(ids.map((id) => ['done', id])).toString(),
    })

  return (
    <div className="place">
      <div className="place-inner place-narrow">
        <Link to="/channels" className="back-link">
          <IconArrowLeft size={18} aria-hidden /> {t('place.channels')}
        </Link>
        <Title order={1} size="h2" mt="xs">
          {known ? t('connect.again_title', { name: known.name }) : t('connect.title')}
        </Title>
        <ol className="steps" aria-label={t('connect.steps')}>
          {steps.map((each, index) => (
            <li
              key={each}
              aria-current={each === step ? 'step' : undefined}
              data-done={index < steps.indexOf(step) || undefined}
            >
              <span className="count">{index + 1}</span> {t(`connect.step_${each}`)}
            </li>
          ))}
        </ol>
        <div ref={place} tabIndex={-1} className="step" role="group" aria-label={t(`connect.step_${step}`)}>
          {problem && (
            <Alert color="red" variant="light" role="alert" mb="md" title={t('connect.problem')}>
              {t(problems[problem] ?? 'connect.problem_refused')}
              {said && <Text>{said}</Text>}
            </Alert>
          )}
          {step === 'network' && (
            <>
              <Text mb="sm">{t('connect.network_lead')}</Text>
              <div className="choices">
                {types.map((each) => (
                  <button key={each} type="button" className="choice" onClick={() => go({ type: each })}>
                    <ChannelMark type={each} size={36} />
                    <span>
                      <strong>{t(`channel.${each}`)}</strong>
                      <span className="dimmed">{t(`connect.about_${each}`)}</span>
                    </span>
                  </button>
                ))}
              </div>
            </>
          )}
          {step !== 'network' && (apps.isPending || channels.isPending) && (
            <Skeleton height={160} radius="md" aria-label={t('state.loading')} />
          )}
          {apps.isError && <Failure error={apps.error} again={() => void apps.refetch()} />}
          {step === 'app' && type && apps.data && (
            <ConnectApp type={type} apps={apps.data.items} choose={(id) => go({ type, app: id })} />
          )}
          {step === 'permission' && type && app && (
            <ConnectPermission key={app.id} type={type} app={app} channel={known} finish={finish} />
          )}
          {step === 'choice' && attempt && (
            <ConnectChoice attempt={attempt} finish={finish} again={(values) => go(values)} />
          )}
          {step === 'check' && <ConnectDone ids={done} />}
          {step !== 'network' && step !== 'check' && !known && (
            <Link to={backFrom(step, type)} className="back-link step-back">
              <IconArrowLeft size={18} aria-hidden /> {t('connect.back')}
            </Link>
          )}
        </div>
      </div>
    </div>
  )
}

/** What the network said as it refused; told once. */
function takeSaid(): string | undefined {
  const found = /(?:^|; )parley_said=([^;]*)/.exec(document.cookie)?.[1]
  if (found !== undefined) document.cookie = 'parley_said=; path=/channels; max-age=0'
  try {
    return found === undefined ? undefined : decodeURIComponent(found)
  } catch {
    return undefined
  }
}

const backFrom = (step: Step, type: ChannelType | undefined): string =>
  step === 'permission' && type ? `/channels/connect?type=${type}` : '/channels/connect'
