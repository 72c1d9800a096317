/** What a post says: once for all, and in other words or with other files where a channel wants them. */
import { Button, Tabs, Text, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { ChannelMark } from '../person.tsx'
import { useSpeech } from '../texts/index.tsx'
import { DropArea, PostFiles, useUploads, type ChangeFiles } from './post-files.tsx'
import { isLinkGood, type FormChannel, type PostForm } from './post-form.ts'
import { PostProblems } from './post-problems.tsx'
import type { PostCheck } from './use-post-checks.ts'

type Change = (change: Partial<PostForm> | ((old: PostForm) => PostForm)) => void

interface Props {
  readonly form: PostForm
  readonly checks: readonly PostCheck[]
  readonly change: Change
}

export function PostWords({ form, checks, change }: Props) {
  const { t } = useSpeech()
  const [wanted, setTab] = useState('all')
  const tab = checks.some(({ channel }) => channel.id === wanted) ? wanted : 'all'
  return (
    <fieldset className="post-part">
      <legend className="heard-only">{t('post.content')}</legend>
      <Tabs value={tab} onChange={(next) => setTab(next ?? 'all')} variant="outline" keepMounted={false}>
        <Tabs.List aria-label={t('post.adapt')}>
          <Tabs.Tab value="all">{t('post.for_all')}</Tabs.Tab>
          {checks.map(({ channel }) => {
            const own = form.channels.find(({ channelId }) => channelId === channel.id)
            const isOwn = own !== undefined && (own.text !== null || own.files !== null)
            return (
              <Tabs.Tab key={channel.id} value={channel.id} leftSection={<ChannelMark type={channel.type} size={18} />}>
                {channel.name}
                {isOwn && <span className="mark-text"> · {t('post.adapted')}</span>}
              </Tabs.Tab>
            )
          })}
        </Tabs.List>
        <Tabs.Panel value="all" pt="sm">
          <Common form={form} checks={checks} change={change} />
        </Tabs.Panel>
        {checks.map((check) => {
          const own = form.channels.find(({ channelId }) => channelId === check.channel.id)
          return (
            own && (
              <Tabs.Panel key={check.channel.id} value={check.channel.id} pt="sm">
                <Adapted own={own} form={form} check={check} change={change} />
              </Tabs.Panel>
            )
          )
        })}
      </Tabs>
    </fieldset>
  )
}

function Common({ form, checks, change }: Props) {
  const { t } = useSpeech()
  const changeFiles: ChangeFiles = (next) => change((old) => ({ ...old, files: next(old.files) }))
  const take = useUploads(changeFiles)
  const shared = checks.filter(
    ({ channel }) => form.channels.find(({ channelId }) => channelId === channel.id)?.text === null,
  )
  const isOver = shared.some(isTooLong)
  return (
    <DropArea take={take}>
      <Textarea
        aria-label={t('post.text')}
        placeholder={t('post.text_hint')}
        value={form.text}
        onChange={(event) => change({ text: event.currentTarget.value })}
        autosize
        minRows={5}
        maxRows={16}
        maxLength={10_000}
        dir="auto"
        error={isOver}
        aria-describedby="post-counts"
        data-autofocus
      />
      <Counts id="post-counts" checks={shared} />
      <PostFiles files={form.files} change={changeFiles} take={take} />
      <TextInput
        mt="sm"
        type="url"
        inputMode="url"
        label={t('post.link')}
        placeholder="https://"
        value={form.link}
        maxLength={2_000}
        onChange={(event) => change({ link: event.currentTarget.value })}
        error={!isLinkGood(form.link) && t('post.link_bad')}
      />
    </DropArea>
  )
}

function Adapted({
  own,
  form,
  check,
  change,
}: {
  readonly own: FormChannel
  readonly form: PostForm
  readonly check: PostCheck
  readonly change: Change
}) {
  const { t } = useSpeech()
  const { name } = check.channel
  const patch = (next: (channel: FormChannel) => FormChannel): void =>
    change((old) => ({
      ...old,
      channels: old.channels.map((each) => (each.channelId === own.channelId ? next(each) : each)),
    }))
  const changeFiles: ChangeFiles = (next) => patch((channel) => ({ ...channel, files: next(channel.files ?? []) }))
  const take = useUploads(changeFiles)
  return (
    <DropArea take={take}>
      {own.text === null ? (
        <div className="post-same">
          <Text c="dimmed">{t('post.same_text')}</Text>
          <Button size="compact-md" variant="default" onClick={() => patch((each) => ({ ...each, text: form.text }))}>
            {t('post.own_text')}
          </Button>
        </div>
      ) : (
        <>
          <Textarea
            label={t('post.text_for', { name })}
            value={own.text}
            onChange={(event) => {
              const text = event.currentTarget.value
              patch((each) => ({ ...each, text }))
            }}
            autosize
            minRows={5}
            maxRows={16}
            maxLength={10_000}
            dir="auto"
            error={isTooLong(check)}
            aria-describedby={`post-count-${own.channelId}`}
          />
          <Counts id={`post-count-${own.channelId}`} checks={[check]} />
          <Button size="compact-md" variant="subtle" onClick={() => patch((each) => ({ ...each, text: null }))}>
            {t('post.common_text')}
          </Button>
        </>
      )}
      {own.files === null ? (
        <div className="post-same">
          <Text c="dimmed">{t('post.same_files', { count: form.files.length })}</Text>
          <Button size="compact-md" variant="default" onClick={() => patch((each) => ({ ...each, files: form.files }))}>
            {t('post.own_files')}
          </Button>
        </div>
      ) : (
        <>
          <PostFiles files={own.files} change={changeFiles} take={take} />
          <Button mt={4} size="compact-md" variant="subtle" onClick={() => patch((each) => ({ ...each, files: null }))}>
            {t('post.common_files')}
          </Button>
        </>
      )}
      <PostProblems checks={[check]} form={form} />
    </DropArea>
  )
}

const isTooLong = ({ length, limits }: PostCheck): boolean => limits !== null && length > limits.max_text_length

/** How much of each network's limit is used, by its own counting. */
function Counts({ id, checks }: { readonly id: string; readonly checks: readonly PostCheck[] }) {
  const { t } = useSpeech()
  return (
    <div className="post-counts" id={id}>
      {checks.map(
        (check) =>
          check.limits && (
            <span
              key={check.channel.id}
              className="post-count"
              data-over={isTooLong(check) || undefined}
              title={`${check.channel.name}: ${t(`post.unit_${check.limits.counting}`)}`}
            >
              <ChannelMark type={check.channel.type} size={16} />
              <span className="count">
                {t('post.used', { used: check.length, limit: check.limits.max_text_length })}
              </span>
              {isTooLong(check) && (
                <strong>{t('post.over', { count: check.length - check.limits.max_text_length })}</strong>
              )}
            </span>
          ),
      )}
    </div>
  )
}
