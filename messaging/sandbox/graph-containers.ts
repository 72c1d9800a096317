/** Publishing as an Instagram account: containers, their state, and making them public (Instagram content publishing). */
import { flagOf, textOf } from '../connectors/reading.ts'
import { ageOf } from './clock.ts'
import { tell } from './customers.ts'
import type { Stage } from './customers.ts'
import { graphError } from './graph-error.ts'
import { fetchGiven } from './graph-files.ts'
import { lacks } from './graph-permissions.ts'
import type { GraphRequest } from './graph-request.ts'
import { refusedBy } from './graph-says.ts'
import type { Refuse } from './graph-says.ts'
import type { Answer } from './http.ts'
import { fileUrl } from './media.ts'
import type { SandboxChannel, SandboxFile } from './world.ts'

const megabyte = 1024 * 1024
const dayMs = 24 * 60 * 60 * 1000
/** Until a film is ready, by the sandbox's time; the note `meta.video_ms` says otherwise. */
const videoMs = 1_500
const quotaTotal = 100

interface Container {
  readonly channel: string
  readonly caption: string
  readonly files: readonly SandboxFile[]
  readonly is_item: boolean
  readonly is_bad: boolean
  readonly made_at: number
  readonly ready_at: number
  readonly media_id?: string
}

/** `POST /{account}/media`: a picture, a film (REELS), an item of a carousel, or a carousel. */
export async function makeContainer(stage: Stage, channel: SandboxChannel, call: GraphRequest): Promise<Answer> {
  const { parameters, base } = call
  const denied = lacks(stage, channel, 'instagram_content_publish')
  if (denied !== undefined) return denied
  const caption = textOf(parameters.caption) ?? ''
  if (caption.length > 2200) return graphError(36_004, 2_207_010, 'The caption was too long.')
  const made_at = stage.clock.now()
  const shared = { channel: channel.external_id, caption, is_item: flagOf(parameters.is_carousel_item), made_at }
  if (parameters.media_type === 'CAROUSEL') {
    const ids = childrenOf(parameters.children)
    const children = ids.map((id) => containerOf(stage, channel, id))
    if (ids.length < 2 || ids.length > 10)
      return graphError(100, 2_207_028, 'Carousels need at least 2 and no more than 10 photos or videos.')
    const ready: Container[] = children.filter((one) => one !== undefined)
    if (ready.length < ids.length || ready.some((one) => !one.is_item || stateOf(stage, one) !== 'FINISHED'))
      return graphError(9007, 2_207_027, 'The media is not ready for publishing, please wait for a moment')
    const files = ready.flatMap((one) => one.files)
    return keep(stage, { ...shared, files, is_bad: false, ready_at: made_at })
  }
  const image = textOf(parameters.image_url)
  const video = textOf(parameters.video_url)
  const address = image ?? video
  if (address === undefined)
    return graphError(100, 2_207_023, 'The media type is unknown: image_url or video_url is required.')
  if (image === undefined && parameters.media_type !== 'REELS' && !shared.is_item)
    return graphError(100, 2_207_067, 'The media_type VIDEO is no longer supported; use REELS.')
  const bytes = await fetchGiven(stage, address)
  if (bytes === undefined) return graphError(9004, 2_207_052, 'The media could not be fetched from this URI.')
  if (image !== undefined && !bytes.contentType.startsWith('image/jpeg'))
    return graphError(36_001, 2_207_005, 'The image format is not supported. Supported formats are: JPEG.')
  if (image !== undefined && bytes.data.length > 8 * megabyte)
    return graphError(36_000, 2_207_004, 'The image is too large to download. It should be less than 8 MiB.')
  const name = stage.uploads.keep(bytes.data, bytes.contentType)
  const altText = textOf(parameters.alt_text)
  const file = {
    kind: image === undefined ? 'video' : 'image',
    file: name,
    url: fileUrl(base, name),
    ...(altText === undefined ? {} : { alt_text: altText }),
  }
  const given = stage.world.notes.get('meta.video_ms')
  const waitMs = image === undefined ? (typeof given === 'number' ? given : videoMs) : 0
  const is_bad = image === undefined && !bytes.contentType.startsWith('video/')
  return keep(stage, { ...shared, files: [file], is_bad, ready_at: made_at + waitMs })
}

function childrenOf(value: unknown): string[] {
  const all = Array.isArray(value) ? value : (textOf(value) ?? '').split(',')
  return all.map(textOf).filter((id) => id !== undefined)
}

function keep(stage: Stage, container: Container): Answer {
  const id = `17${stage.world.newSnowflake().slice(-15)}`
  stage.world.note(`meta.container.${id}`, container)
  return { status: 200, json: { id } }
}

function containerOf(stage: Stage, channel: SandboxChannel, id: string): Container | undefined {
  const found = stage.world.notes.get(`meta.container.${id}`) as Container | undefined
  return found?.channel === channel.external_id ? found : undefined
}

function stateOf({ clock }: Stage, one: Container): 'PUBLISHED' | 'EXPIRED' | 'IN_PROGRESS' | 'ERROR' | 'FINISHED' {
  if (one.media_id !== undefined) return 'PUBLISHED'
  if (clock.now() > one.made_at + dayMs) return 'EXPIRED'
  if (clock.now() < one.ready_at) return 'IN_PROGRESS'
  return one.is_bad ? 'ERROR' : 'FINISHED'
}

/** `GET /{container}?fields=status_code,status`; `undefined` when it is no container. */
export function readContainer(stage: Stage, channel: SandboxChannel, id: string): Answer | undefined {
  const found = containerOf(stage, channel, id)
  if (found === undefined) return undefined
  const state = stateOf(stage, found)
  const status = state === 'ERROR' ? 'Error: Media upload has failed with error code 2207026' : state
  return { status: 200, json: { id, status_code: state, status } }
}

/** `POST /{account}/media_publish`. */
export function publishContainer(
  stage: Stage,
  channel: SandboxChannel,
  { parameters }: GraphRequest,
  refuse: Refuse,
): Answer {
  const denied = lacks(stage, channel, 'instagram_content_publish')
  if (denied !== undefined) return denied
  const id = textOf(parameters.creation_id) ?? ''
  const found = containerOf(stage, channel, id)
  const state = found === undefined ? 'EXPIRED' : stateOf(stage, found)
  if (found === undefined || state === 'EXPIRED' || state === 'PUBLISHED' || found.is_item)
    return graphError(24, 2_207_008, 'The requested resource does not exist')
  if (state !== 'FINISHED')
    return graphError(9007, 2_207_027, 'The media is not ready for publishing, please wait for a moment')
  if (publishedIn(stage, channel) >= totalOf(stage, channel))
    return graphError(
      9,
      2_207_042,
      'You reached maximum number of posts that is allowed to be published by Content Publishing API.',
      403,
    )
  const refused = refusedBy(refuse)
  if (refused !== undefined) return refused
  const said = stage.world.say({
    type: 'instagram',
    channel: channel.external_id,
    person: '',
    direction: 'outbound',
    kind: 'post',
    text: found.caption,
    files: found.files,
    clock_at: stage.clock.now(),
  })
  stage.world.note(`meta.container.${id}`, { ...found, media_id: said.external_id })
  const nothing = (): Promise<void> => Promise.resolve()
  return { status: 200, json: { id: said.external_id }, accepted: { echo: () => tell(stage, [said]), after: nothing } }
}

/** `GET /{account}/content_publishing_limit`; the note `meta.quota.<account>` sets another total than 100. */
export const publishingLimit = (stage: Stage, channel: SandboxChannel): Answer => ({
  status: 200,
  json: {
    data: [
      {
        quota_usage: publishedIn(stage, channel),
        config: { quota_total: totalOf(stage, channel), quota_duration: 86_400 },
      },
    ],
  },
})

function totalOf(stage: Stage, channel: SandboxChannel): number {
  const own = stage.world.notes.get(`meta.quota.${channel.external_id}`)
  return typeof own === 'number' ? own : quotaTotal
}

const publishedIn = (stage: Stage, channel: SandboxChannel): number =>
  stage.world.ledger.filter(
    (said) =>
      said.channel === channel.external_id &&
      said.kind === 'post' &&
      said.direction === 'outbound' &&
      said.clock_at !== undefined &&
      ageOf(stage, said) < dayMs,
  ).length
