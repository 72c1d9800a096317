/** Why a delivery stands as it does, in plain words, and what can be done about it. By code, never by a network's text. */
import type { Delivery } from '../storage/index.ts'
import type { NetworkName } from '../storage/model/words.ts'

/** What to do: stable names, for translations. */
export const hintCodes = [
  'wait',
  'reconnect',
  'settle',
  'change_content',
  'contact_must_write',
  'other_way',
  'look_at_network',
  'send_again',
] as const
export type HintCode = (typeof hintCodes)[number]

export interface Advice {
  readonly reason: string | null
  readonly hintCode: HintCode | null
  readonly hint: string | null
}

const hints: Readonly<Record<HintCode, string>> = {
  wait: 'Nothing is to be done: it is tried again by itself.',
  reconnect: 'Reconnect the channel; it is then sent by itself.',
  settle: 'Look on the network whether it arrived, then say so here, or send it again.',
  change_content: 'Change the text or the file, and send it anew.',
  contact_must_write: 'Wait until the person writes again. On WhatsApp a template can be sent meanwhile.',
  other_way: 'Reach the person in another way, or answer publicly.',
  look_at_network: 'Look at the account in the network’s own settings, mend what it says there, then send it again.',
  send_again: 'Send it again.',
}

const slower = 'The network takes no more from us for now, as we have asked or said too much in a short time.'
const away = 'The network has troubles of its own just now.'
const token = 'The network refuses our access to the channel.'
const closed = 'The network’s time for answering this person is over.'
const unreachable = 'The network does not bring messages of ours to this person.'
const restricted = 'The network has restricted the account.'
const badFile = 'The network does not accept the file.'
const badTemplate = 'The network does not accept the template as it was filled in.'

/** Meta's codes (error codes of the Graph API, Messenger, Instagram, WhatsApp): a subcode says more than its code. */
// prettier-ignore
const ofMeta: Readonly<Record<string, string>> = {
  1: 'The network did not say whether it took the message.', 1357046: 'The network says that it sent the message and failed afterwards.',
  2: away, 4: slower, 17: slower, 32: slower, 341: slower, 613: slower, 1200: away, 80001: slower, 80002: slower, 80006: slower,
  130429: slower, 131048: 'The network holds messages of ours back, as people have blocked or reported earlier ones.',
  131056: 'Too many messages to this one person in a short time.', 80007: slower, 133016: slower, 131000: 'The network did not say whether it took the message.',
  131016: away, 131057: 'The account is in maintenance at the network.',
  368: 'The network has blocked the account for a time, for breaking its rules.', 1893063: restricted, 131031: restricted,
  190: token, 102: token, 3: token, 200: token, 10: token, 2018028: 'The app may write to its own administrators and testers only.',
  458: 'The app was removed from the account.', 459: 'The network wants the person who connected the channel to sign in there.',
  460: 'The password of the person who connected the channel was changed.', 463: 'Our access has expired.',
  464: 'The person who connected the channel is not confirmed at the network.', 467: 'Our access was ended.',
  492: 'The person who connected the channel has lost the right to it.',
  2534041: 'The account has switched off access to its messages.',
  2018278: closed, 2534022: closed, 131047: closed,
  551: 'The person is not available at the network just now, or has blocked us.', 1545041: unreachable, 2018108: unreachable,
  2018001: 'The network knows no such person.', 2534014: 'The network knows no such person.', 2534029: unreachable,
  131026: unreachable, 131049: 'The network keeps the number of such messages to one person low, and has not brought this one.',
  131050: 'The person does not want such messages.', 130472: 'The network leaves this person out of such messages, for a trial of its own.',
  2018034: 'The message is empty.', 2018109: 'The file is too big for the network.', 33: 'What was to be answered is not there any more, or not for us.',
  506: 'The same was said before.', 1609005: 'The network does not accept the link.', 10900: 'The comment has had its one private reply.',
  10903: 'The comment cannot be answered privately.',
  131051: 'The network does not accept this kind of message.', 131052: badFile, 131053: badFile,
  132000: badTemplate, 132001: 'The network knows no such template in this language, or has not approved it.', 132005: badTemplate, 132007: badTemplate,
  132012: badTemplate, 132015: 'The network has paused the template, for its quality.', 132016: 'The network has switched the template off, for its quality.',
}

/** Where no code says more. */
const ofClasses: Readonly<Record<string, string>> = {
  token,
  window: closed,
  recipient: unreachable,
  content: 'The network does not accept the message as it is.',
  policy: restricted,
}

/** Our own codes. */
const own: Readonly<Record<string, string>> = {
  window_closed: closed,
  node_lost: 'The node that was sending it stopped; nobody knows how far it came.',
  no_answer: 'The network gave no answer in time.',
  gone: 'Its channel or its conversation is gone.',
  attachment_gone: 'A file of it is gone.',
  processing: 'The network is still looking at a file of it.',
  not_arrived: 'A person has looked: it did not arrive.',
}

/** What is to be said of a delivery, or of a part of one. `network`: whose codes they are, if they are not ours. */
export function adviseOn(
  delivery: Pick<Delivery, 'state' | 'reasonCode' | 'reasonClass' | 'reason' | 'nextAttemptAt'>,
  network: NetworkName | undefined,
): Advice {
  const { reasonCode: code, reasonClass, reason } = delivery
  const plain =
    code === null ? undefined : (own[code] ?? (network === 'meta' ? metaReason(code, reasonClass) : undefined))
  const hintCode = hintFor(delivery)
  return { reason: plain ?? reason ?? code, hintCode, hint: hintCode && hints[hintCode] }
}

/** Numbers are Meta's; words are ours, and come with a plain reason. */
function metaReason(code: string, reasonClass: string | null): string | undefined {
  const [number = '', sub = ''] = code.split('/')
  if (!/^\d+$/.test(number)) return undefined
  return ofMeta[sub] ?? ofMeta[number] ?? ofClasses[reasonClass ?? '']
}

function hintFor({ state, reasonCode, reasonClass, nextAttemptAt }: Parameters<typeof adviseOn>[0]): HintCode | null {
  if (state === 'retrying') return reasonClass === 'token' ? 'reconnect' : 'wait'
  if (state === 'unknown') return nextAttemptAt === null ? 'settle' : 'wait'
  if (state === 'queued') return reasonCode === null ? null : 'wait'
  if (state !== 'failed') return null
  if (reasonCode === '10900') return 'other_way'
  switch (reasonClass) {
    case 'token':
      return 'reconnect'
    case 'window':
      return 'contact_must_write'
    case 'recipient':
      return 'other_way'
    case 'content':
      return 'change_content'
    case 'policy':
      return 'look_at_network'
    default:
      return 'send_again'
  }
}
