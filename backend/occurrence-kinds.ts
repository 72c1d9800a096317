/** Every kind of occurrence and what fires it, written out. Each decides itself what to do when it is late. */
import { fireReply } from '../messaging/reply-due.ts'
import type { Kinds } from './due.ts'
import { firePost } from './publish-steps.ts'
import { fireWake } from './wake.ts'

export const occurrenceKinds: Kinds = { reply: fireReply, post: firePost, wake: fireWake }
