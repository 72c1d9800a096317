/** Something that a person does: in which storage, who, what they may, and how the audit log names them. */
import type { Actor, Storage } from '../storage/index.ts'
import type { Permission } from '../storage/model/permissions.ts'

/** A route's call is one. */
export interface Act {
  readonly storage: Storage
  readonly asker: {
    readonly accountId: string
    readonly userId: string
    readonly permissions: ReadonlySet<Permission>
  }
  readonly actor: Actor
}
