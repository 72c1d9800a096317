import type { Arrival } from '../arrivals.ts'

/** What can arrive from an Instagram account, and what becomes of it. */
// prettier-ignore
export const instagramArrivals: readonly Arrival[] = [
  { what: 'Direct message: text', becomes: 'message', note: 'an answer keeps what it answers' },
  { what: 'Direct message: picture, video, audio, file', becomes: 'message with attachments', note: 'fetched apart from the message' },
  { what: 'Direct message: reply to a story', becomes: 'message', note: 'the story is linked, never copied' },
  { what: 'Direct message: mention in a story', becomes: 'message with a share', note: 'marked; the story is linked, never copied' },
  { what: 'Direct message: shared post', becomes: 'message with a share', note: 'one that comes as share and ig_post at once is shown once' },
  { what: 'Direct message: reel, story, template', becomes: 'message with a share' },
  { what: 'Direct message: disappearing picture', becomes: 'message', note: 'marked: to be seen in the app' },
  { what: 'Direct message: heart', becomes: 'message with a sticker' },
  { what: 'Direct message: content withheld from apps', becomes: 'message', note: 'marked: to be seen in the app' },
  { what: 'Direct message: quick reply', becomes: 'message' },
  { what: 'Button or ice breaker pressed (postback)', becomes: 'interaction' },
  { what: 'Came by a link (referral)', becomes: 'interaction', note: 'opens the reply window' },
  { what: 'Echo', becomes: 'our own message' },
  { what: 'Message withdrawn', becomes: 'deletion of the message' },
  { what: 'Message edited', becomes: 'edit of the message' },
  { what: 'Message seen', becomes: 'receipt' },
  { what: 'Reaction', becomes: 'reaction to the message' },
  { what: 'Standby', becomes: 'message', note: 'marked: another app has the conversation' },
  { what: 'Hand-over between apps', becomes: 'kept' },
  { what: 'Comment', becomes: 'comment', note: 'by ourselves: our own comment; by somebody withheld: of a person without a name' },
  { what: 'Answer to a comment', becomes: 'comment', note: 'in the conversation of the first comment' },
  { what: 'Comment on a live video', becomes: 'comment', note: 'marked; only private replies reach it' },
  { what: 'Mention in a comment or caption', becomes: 'mention', note: 'the webhook carries ids only; the author is asked for afterwards' },
  { what: 'Figures of a story', becomes: 'kept' },
  { what: 'List at the top, field and value in the entry, messages as changes', becomes: 'as in the usual form' },
  { what: 'Test from the dashboard', becomes: 'kept as test received' },
  { what: 'Broken items', becomes: 'kept', note: 'and no good item is lost beside them' },
]
