import { ActionIcon, CopyButton } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { Link } from 'react-router'
import type { AppJson } from '../../presenters/shapes.ts'
import { useSpeech } from '../texts/index.tsx'

export function AppCard({ app }: { readonly app: AppJson }) {
  return (
    <li className="card-row">
      <div className="card-main">
        <Link to={`/channels/apps/${app.id}`} className="channel-name">
          {app.name}
        </Link>
        <AppLines app={app} />
      </div>
      <span className="card-side">{app.network === 'meta' ? 'Meta' : 'X'}</span>
    </li>
  )
}

/** What must be entered at the network. */
export function AppLines({ app }: { readonly app: AppJson }) {
  const { t } = useSpeech()
  return (
    <>
      <CopyLine name={t('channels.webhook')} value={app.webhook_url} />
      {app.verify_token && <CopyLine name={t('channels.verify_token')} value={app.verify_token} />}
    </>
  )
}

export function CopyLine({ name, value }: { readonly name: string; readonly value: string }) {
  const { t } = useSpeech()
  return (
    <div className="copy-line">
      <span className="dimmed">{name}</span>
      <code title={value}>{value}</code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <ActionIcon
            variant="subtle"
            color="gray"
            size={28}
            onClick={copy}
            aria-label={copied ? t('channels.copied') : `${t('channels.copy')}: ${name}`}
          >
            {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
          </ActionIcon>
        )}
      </CopyButton>
    </div>
  )
}
