/** Every kind of occurrence and what fires it, written out. Each decides itself what to do when it is late. */
import type { Fire, Kinds } from './due.ts'
import { firePost } from './publish-steps.ts'
import { fireWake } from './wake.ts'

const missing: Fire = (_storage, _tx, { kind }) => Promise.reject(new Error(`nothing fires ${kind} yet`))

export const occurrenceKinds: Kinds = { reply: missing, post: firePost, wake: fireWake }
