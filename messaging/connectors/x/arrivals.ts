/** What can arrive from X, through Account Activity (AAA) or X Activity (XAA), and what becomes of it. */
import type { Arrival } from '../arrivals.ts'

// prettier-ignore
export const arrivals: readonly Arrival[] = [
  { what: 'Direct message received (AAA direct_message_events, XAA dm.received)', becomes: 'message', note: 't.co links are spelled out; told twice, it is one message' },
  { what: 'Picture, film or moving picture in a direct message', becomes: 'message with an attachment', note: 'the file is fetched with a signed request; the link to it is left out of the text' },
  { what: 'Quick reply chosen in a direct message', becomes: 'message', note: 'what was chosen is kept beside the text' },
  { what: 'Direct message sent by the account (AAA direct_message_events, XAA dm.sent)', becomes: 'echo', note: 'proves what Parley sent; what was written in X is shown as ours' },
  { what: 'Direct message read (AAA direct_message_mark_read_events, XAA dm.read)', becomes: 'receipt: read' },
  { what: 'Someone is typing (AAA direct_message_indicate_typing_events, XAA dm.indicate_typing)', becomes: 'kept' },
  { what: 'Encrypted message received (XAA chat.received)', becomes: 'message without text', note: 'marked as encrypted: to be read and answered in X' },
  { what: 'Encrypted message sent by the account (XAA chat.sent)', becomes: 'echo without text', note: 'marked as encrypted; kept when it went to a group' },
  { what: 'Someone joined an encrypted conversation (XAA chat.conversation_join)', becomes: 'kept' },
  { what: 'Other event of direct messages', becomes: 'kept' },
  { what: 'Post that names the account (AAA tweet_create_events, XAA post.mention.create)', becomes: 'mention', note: 'also an answer to somebody else; one conversation for each person below each post' },
  { what: 'Answer to a post of the account (AAA tweet_create_events, XAA post.reply.create)', becomes: 'comment', note: 'threaded below its post; with a mention in it, it comes under two event types and is one comment' },
  { what: 'Quote of a post of the account (AAA tweet_create_events, XAA post.quote.create)', becomes: 'mention', note: 'the id of the quoted post is kept beside the text' },
  { what: 'Repost (AAA tweet_create_events, XAA post.repost.create)', becomes: 'kept' },
  { what: 'Long post', becomes: 'mention or comment', note: 'the whole text, from extended_tweet or note_tweet' },
  { what: 'Picture or film in a post', becomes: 'attachment of its message', note: 'of a film the best MP4' },
  { what: 'Post by someone the account has blocked', becomes: 'mention or comment', note: 'marked as such' },
  { what: 'Post of the account (AAA tweet_create_events, XAA post.create)', becomes: 'post' },
  { what: 'Answer of the account (AAA tweet_create_events, XAA post.create)', becomes: 'echo' },
  { what: 'Post deleted (AAA tweet_delete_events, XAA post.delete)', becomes: 'delete', note: 'its text is removed' },
  { what: 'Like of something the account said (AAA favorite_events, XAA like.create)', becomes: 'reaction', note: 'counted on a post; kept when X does not say who' },
  { what: 'Like by the account, or of somebody else’s post', becomes: 'kept' },
  { what: 'Follow, block, mute, and their ends (AAA follow_events …, XAA follow.*, block.*, mute.*)', becomes: 'kept' },
  { what: 'Profile change, Space, broadcast, news (XAA profile.*, spaces.*, broadcast.*, news.*)', becomes: 'kept' },
  { what: 'Access withdrawn (AAA user_event.revoke, XAA oauth.revoke)', becomes: 'revoked', note: 'the channel has to be connected again' },
  { what: 'End of a replay (replay_job_status)', becomes: 'replayed', note: 'one that ended early has every channel of the app read back' },
  { what: 'List or event type that is not known', becomes: 'kept' },
  { what: 'Broken item, damaged id, or no JSON', becomes: 'kept', note: 'costs no other item' },
]
