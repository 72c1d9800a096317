/** Publishing as a Page: posts with links and photos, videos that take their time (Pages API: posts; Video API). */
import { fieldsOf, flagOf, idOf, listOf, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import { ageOf } from './clock.ts'
import { tell } from './customers.ts'
import type { Stage } from './customers.ts'
import { graphError, missing } from './graph-error.ts'
import { fetchGiven, findKept, keepPhoto, keepUnpublished, shown } from './graph-files.ts'
import { lacks } from './graph-permissions.ts'
import { graphTime, paged } from './graph-reads.ts'
import { jsonOf } from './graph-request.ts'
import type { GraphRequest } from './graph-request.ts'
import { accept, refusedBy } from './graph-says.ts'
import type { Refuse } from './graph-says.ts'
import type { Answer } from './http.ts'
import { fileUrl } from './media.ts'
import type { SandboxChannel, SandboxFile, Utterance } from './world.ts'

const dayMs = 24 * 60 * 60 * 1000
/** Until a video is ready, by the sandbox's time; a note `meta.video_ms` says otherwise. */
const videoMs = 1_500
const most = 63_206

/** `POST /{page}/feed`. The same words twice in a day are refused (506). */
export function publish(stage: Stage, channel: SandboxChannel, call: GraphRequest, refuse: Refuse): Answer {
  const { parameters, base } = call
  const denied = lacks(stage, channel, 'pages_manage_posts')
  if (denied !== undefined) return denied
  const text = textOf(parameters.message)
  const link = textOf(parameters.link)
  const photos: SandboxFile[] = []
  for (const one of mediaIn(parameters)) {
    const kept = one === undefined ? undefined : findKept(stage, channel, one, 'photo')
    if (kept === undefined) return missing(one ?? '')
    photos.push(shown(base, kept))
  }
  if (text === undefined && link === undefined && photos.length === 0)
    return graphError(100, undefined, 'Missing message or attachment')
  if (text !== undefined && text.length > most) return graphError(100, undefined, 'The message is too long')
  if (link !== undefined && !URL.canParse(link)) return graphError(1_609_005, undefined, 'The link is not a link.')
  if (photos.length === 0 && isSaid(stage, channel, text ?? '', link))
    return graphError(506, undefined, 'Duplicate status message')
  const refused = refusedBy(refuse)
  if (refused !== undefined) return refused
  const said = say(stage, channel, text, photos, link)
  return accept(stage, said, { id: said.external_id })
}

/** `attached_media`: a list, its JSON, or `attached_media[0]` and so on. */
function mediaIn(parameters: Fields): (string | undefined)[] {
  const named = Object.entries(parameters)
    .filter(([key]) => /^attached_media\[\d+\]$/.test(key))
    .map(([, value]) => jsonOf(value))
  const all = [...listOf(jsonOf(parameters.attached_media)), ...named]
  return all.map((one) => idOf(fieldsOf(jsonOf(one)).media_fbid))
}

const isSaid = (stage: Stage, channel: SandboxChannel, text: string, link: string | undefined): boolean =>
  stage.world.ledger.some(
    (said) =>
      said.channel === channel.external_id &&
      said.kind === 'post' &&
      said.direction === 'outbound' &&
      said.text === text &&
      said.wire?.link === link &&
      ageOf(stage, said) < dayMs,
  )

const say = (
  stage: Stage,
  channel: SandboxChannel,
  text: string | undefined,
  files: readonly SandboxFile[],
  link?: string,
  externalId?: string,
): Utterance =>
  stage.world.say({
    type: channel.type,
    channel: channel.external_id,
    person: '',
    direction: 'outbound',
    kind: 'post',
    text: text ?? '',
    clock_at: stage.clock.now(),
    ...(externalId === undefined ? {} : { external_id: externalId }),
    ...(files.length === 0 ? {} : { files }),
    ...(link === undefined ? {} : { wire: { link } }),
  })

/** `POST /{page}/photos`: a post of its own, or with `published=false` one that waits to be attached. */
export async function uploadPhoto(
  stage: Stage,
  channel: SandboxChannel,
  call: GraphRequest,
  refuse: Refuse,
): Promise<Answer> {
  const denied = lacks(stage, channel, 'pages_manage_posts')
  if (denied !== undefined) return denied
  const photo = await keepPhoto(stage, channel, call)
  if ('status' in photo) return photo
  const { published, caption, message } = call.parameters
  if (published !== undefined && !flagOf(published)) return { status: 200, json: { id: keepUnpublished(stage, photo) } }
  const refused = refusedBy(refuse)
  if (refused !== undefined) return refused
  const said = say(stage, channel, textOf(message) ?? textOf(caption), [shown(call.base, photo)])
  return accept(stage, said, { id: said.external_id.split('_')[1], post_id: said.external_id })
}

interface Video {
  readonly channel: string
  readonly text: string
  readonly at: string
  readonly state: 'processing' | 'ready' | 'error'
  readonly post_id: string
}

/** `POST /{page}/videos`: taken at once, seen by everybody once it is ready. */
export async function publishVideo(
  stage: Stage,
  channel: SandboxChannel,
  call: GraphRequest,
  refuse: Refuse,
): Promise<Answer> {
  const { world, clock } = stage
  const { parameters, file, base } = call
  const denied = lacks(stage, channel, 'pages_manage_posts')
  if (denied !== undefined) return denied
  const address = textOf(parameters.file_url)
  const bytes = file ?? (address === undefined ? undefined : await fetchGiven(stage, address))
  if (bytes === undefined) return graphError(389, undefined, 'Unable to fetch video file from URL.')
  const refused = refusedBy(refuse)
  if (refused !== undefined) return refused
  const id = world.newSnowflake()
  const text = textOf(parameters.description) ?? ''
  const postId = `${channel.external_id}_${id}`
  const note = (state: Video['state']): void => {
    world.note(`meta.video.${id}`, {
      channel: channel.external_id,
      text,
      at: graphTime(new Date().toISOString()),
      state,
      post_id: postId,
    })
  }
  note('processing')
  const isVideo = bytes.contentType.startsWith('video/')
  const name = stage.uploads.keep(bytes.data, bytes.contentType)
  const waitMs = world.notes.get('meta.video_ms')
  clock.later(typeof waitMs === 'number' ? waitMs : videoMs, () => {
    note(isVideo ? 'ready' : 'error')
    if (!isVideo) return
    const shownVideo = { kind: 'video', file: name, url: fileUrl(base, name) }
    void tell(stage, [say(stage, channel, text, [shownVideo], undefined, postId)])
  })
  return { status: 200, json: { id }, accepted: { echo: nothing, after: nothing } }
}

const nothing = (): Promise<void> => Promise.resolve()

/** `GET /{video}?fields=status,post_id`; `undefined` when it is no video. */
export function readVideo(stage: Stage, channel: SandboxChannel, id: string): Answer | undefined {
  const video = stage.world.notes.get(`meta.video.${id}`) as Video | undefined
  return video?.channel === channel.external_id ? { status: 200, json: describe(id, video) } : undefined
}

/** `GET /{page}/videos`: the newest first, also those still in the works. */
export function listVideos(stage: Stage, channel: SandboxChannel, parameters: Fields): Answer {
  const prefix = 'meta.video.'
  const all = [...stage.world.notes].flatMap(([key, value]) => {
    const video = value as Video
    return key.startsWith(prefix) && video.channel === channel.external_id
      ? [describe(key.slice(prefix.length), video)]
      : []
  })
  return { status: 200, json: paged(all.reverse(), parameters) }
}

const describe = (id: string, { text, at, state, post_id: postId }: Video): Fields => ({
  id,
  description: text,
  created_time: at,
  status: {
    video_status: state,
    ...(state === 'error'
      ? { processing_phase: { status: 'error', errors: [{ code: 1_363_047, message: 'Unsupported video format' }] } }
      : {}),
  },
  ...(state === 'ready' ? { post_id: postId.split('_')[1], permalink_url: `/watch/?v=${id}` } : {}),
})
