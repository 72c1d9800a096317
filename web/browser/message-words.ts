/** What is said of a message wherever it is shown: its moment, and whose words it carries. */
import type { ConversationJson, MessageJson } from '../presenters/shapes.ts'
import type { Translate } from './texts/index.tsx'

/** Where it stands in the thread. What was called off before its time stands where it was written. */
export const momentOf = ({ state, occurred_at, received_at }: MessageJson): string =>
  state === 'cancelled' && received_at < occurred_at ? received_at : occurred_at

export function nameOf(
  message: MessageJson,
  conversation: ConversationJson | undefined,
  me: string,
  t: Translate,
): string {
  if (message.author) return message.author.id === me ? t('message.you') : message.author.name
  if (message.direction === 'outbound') return t('message.elsewhere')
  return message.contact_name ?? conversation?.contact.name ?? ''
}
