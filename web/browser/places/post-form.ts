/** What is being written: as the editor holds it, as the API takes it, and as it was left when the page went away. */
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'

export interface FormFile {
  /** Of this page; a file on its way has no document yet. */
  readonly key: string
  readonly documentId: string | null
  readonly name: string
  readonly contentType: string
  readonly size: number
  /** Of a small copy, or of the file on this machine; null: nothing to look at. */
  readonly picture: string | null
  /** Where the whole is. */
  readonly url: string | null
  readonly altText: string
  /** 0 to 1 while it is sent. */
  readonly progress: number | null
  readonly failure: string | null
}

export interface FormChannel {
  readonly channelId: string
  /** `null`: the common one. */
  readonly text: string | null
  readonly files: readonly FormFile[] | null
}

export interface PostForm {
  readonly text: string
  readonly link: string
  readonly files: readonly FormFile[]
  readonly channels: readonly FormChannel[]
  readonly publishAt: string | null
  readonly latePolicy: PlannedPostJson['late_policy']
}

export const emptyForm: PostForm = {
  text: '',
  link: '',
  files: [],
  channels: [],
  publishAt: null,
  latePolicy: 'publish_late',
}

const fileOf = (file: PlannedPostJson['files'][number]): FormFile => ({
  key: file.document_id,
  documentId: file.document_id,
  name: file.name ?? file.content_type,
  contentType: file.content_type,
  size: file.size,
  picture: pictureOf(file.document_id, file.content_type, file.variants),
  url: file.url,
  altText: file.alt_text ?? '',
  progress: null,
  failure: null,
})

/** The smallest copy that is made of it; a picture without copies shows itself. */
export const pictureOf = (
  documentId: string,
  contentType: string,
  variants: PlannedPostJson['files'][number]['variants'],
): string | null =>
  variants.find(({ name }) => name === 'preview')?.url ??
  variants.find(({ content_type }) => content_type.startsWith('image/'))?.url ??
  (contentType.startsWith('image/') ? `/api/v1/documents/${documentId}/content` : null)

export const formOf = (post: PlannedPostJson): PostForm => ({
  text: post.text,
  link: post.link ?? '',
  files: post.files.map(fileOf),
  channels: post.channels.map(({ channel, text, files }) => ({
    channelId: channel.id,
    text,
    files: files?.map(fileOf) ?? null,
  })),
  publishAt: post.publish_at,
  latePolicy: post.late_policy,
})

const sentFiles = (files: readonly FormFile[]) =>
  files.flatMap(({ documentId, altText }) =>
    documentId === null ? [] : [{ document_id: documentId, alt_text: altText.trim() || null }],
  )

/** The link as it is sent: without a scheme it is meant to be of the web. */
export const linkOf = (link: string): string | null => {
  const trimmed = link.trim()
  if (trimmed === '') return null
  return /^[a-z][a-z0-9+.-]*:/i.test(trimmed) ? trimmed : `https://${trimmed}`
}

export const isLinkGood = (link: string): boolean => {
  const whole = linkOf(link)
  return whole === null || (/^https?:\/\/[^\s/]+\.[^\s]+$/i.test(whole) && URL.canParse(whole))
}

/** What it says and where, as the API takes it. */
export const contentOf = (form: PostForm) => ({
  text: form.text,
  link: isLinkGood(form.link) ? linkOf(form.link) : null,
  files: sentFiles(form.files),
  channels: form.channels.map(({ channelId, text, files }) => ({
    channel_id: channelId,
    text,
    files: files && sentFiles(files),
  })),
})

export const wishOf = (form: PostForm) => ({
  ...contentOf(form),
  publish_at: form.publishAt,
  late_policy: form.latePolicy,
})

export const isSame = (one: PostForm, other: PostForm): boolean =>
  JSON.stringify(wishOf(one)) === JSON.stringify(wishOf(other)) && one.link.trim() === other.link.trim()

export const isUploading = (form: PostForm): boolean =>
  [form, ...form.channels].some(({ files }) => files?.some(({ documentId, failure }) => !documentId && !failure))

/** What a channel will say. */
export const textFor = (form: PostForm, channelId: string): string =>
  form.channels.find((channel) => channel.channelId === channelId)?.text ?? form.text
export const filesFor = (form: PostForm, channelId: string): readonly FormFile[] =>
  form.channels.find((channel) => channel.channelId === channelId)?.files ?? form.files

// -------------------------------------------------------------------------------------- what was not saved, by post

const prefix = 'parley-post-'

/** What was written and not saved when the page went away, in this tab. `version`: of the post it was written on. */
export interface Kept {
  readonly form: PostForm
  readonly version: number | null
}

export function loadKept(id: string): Kept | undefined {
  try {
    const stored = sessionStorage.getItem(prefix + id)
    return stored === null ? undefined : (JSON.parse(stored) as Kept)
  } catch {
    return undefined
  }
}

export function keep(id: string, kept: Kept | undefined): void {
  try {
    if (kept === undefined) sessionStorage.removeItem(prefix + id)
    else sessionStorage.setItem(prefix + id, JSON.stringify({ ...kept, form: storable(kept.form) }))
  } catch {
    // Storage is full or refused: leaving the page asks.
  }
}

/** Files that are still on their way cannot outlive the page, nor can pictures of this machine. */
const storable = (form: PostForm): PostForm => {
  const sent = (files: readonly FormFile[]) =>
    files
      .filter(({ documentId }) => documentId !== null)
      .map((file) => ({ ...file, picture: file.picture?.startsWith('blob:') ? file.url : file.picture }))
  return {
    ...form,
    files: sent(form.files),
    channels: form.channels.map((channel) => ({ ...channel, files: channel.files && sent(channel.files) })),
  }
}
