/** How an account gives out what belongs to no team. */
import type { AssignmentSettings } from '../storage/index.ts'
import type { Act } from './act.ts'

type Wish = { readonly [Name in keyof AssignmentSettings]?: AssignmentSettings[Name] | undefined }

/** What is not given stays; as it is afterwards. */
export function changeAssignment({ storage, actor, asker }: Act, wish: Wish): Promise<AssignmentSettings> {
  const { accountId } = asker
  return storage.write(async (tx) => {
    await storage.assignments.lock(tx, accountId)
    const before = await storage.assignments.settings(tx, accountId)
    const after = {
      assignment: wish.assignment ?? before.assignment,
      goesOffline: wish.goesOffline ?? before.goesOffline,
    }
    await storage.assignments.change(tx, accountId, after)
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'account.assignment_changed', subject: { type: 'account', id: accountId } },
      before: fieldsOf(before),
      after: fieldsOf(after),
    })
    return after
  })
}

const fieldsOf = ({ assignment, goesOffline }: AssignmentSettings) => ({ assignment, goes_offline: goesOffline })
