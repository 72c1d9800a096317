/** Labels: made, named and removed. */
import { codeOf, conflict, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import { mostLabels } from '../storage/index.ts'
import type { Label } from '../storage/index.ts'
import type { Act } from './act.ts'

export type LabelWish = Pick<Label, 'name' | 'color'>

/** @throws Problem 409 `label_exists`, `too_many_labels` */
export function createLabel(act: Act, id: string, wish: LabelWish): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId, userId } = asker
  return unique(
    storage.write(async (tx) => {
      if ((await storage.labels.count(tx, accountId)) >= mostLabels)
        throw conflict(
          'too_many_labels',
          `An account has at most ${String(mostLabels)} labels; please remove some first.`,
        )
      await storage.labels.create(tx, { id, accountId, ...wish })
      await storage.audit.append(tx, {
        ...{ accountId, by: actor, action: 'label.created', subject: { type: 'label', id, name: wish.name } },
        after: { ...wish },
      })
      await storage.outbox.append(tx, {
        ...{ type: 'label.changed', accountId, data: { label_id: id, change: 'created', by: userId } },
      })
    }),
  )
}

/** @throws Problem 404, 409 `label_exists` */
export function changeLabel(act: Act, id: string, change: Partial<LabelWish>): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId, userId } = asker
  return unique(
    storage.write(async (tx) => {
      const label = isId(id) ? await storage.labels.lock(tx, accountId, id) : undefined
      if (label === undefined) throw notFound('label')
      const after = { ...label, ...change }
      await storage.labels.change(tx, after)
      await storage.audit.append(tx, {
        ...{ accountId, by: actor, action: 'label.changed', subject: { type: 'label', id, name: after.name } },
        before: { name: label.name, color: label.color },
        after: { name: after.name, color: after.color },
      })
      await storage.outbox.append(tx, {
        ...{ type: 'label.changed', accountId, data: { label_id: id, change: 'changed', by: userId } },
      })
    }),
  )
}

const portion = 2_000

/** No conversation carries it afterwards. @throws Problem 404 */
export async function removeLabel({ storage, actor, asker }: Act, id: string): Promise<void> {
  const { accountId, userId } = asker
  await storage.write(async (tx) => {
    const label = isId(id) ? await storage.labels.lock(tx, accountId, id) : undefined
    if (label === undefined) throw notFound('label')
    await storage.labels.remove(tx, accountId, id)
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'label.removed', subject: { type: 'label', id, name: label.name } },
      before: { name: label.name, color: label.color },
    })
    await storage.outbox.append(tx, {
      ...{ type: 'label.changed', accountId, data: { label_id: id, change: 'removed', by: userId } },
    })
  })
  // In small transactions; what a crash leaves names no label any more and is shown nowhere.
  while ((await storage.write((tx) => storage.labels.takeOff(tx, accountId, id, portion))) === portion);
}

async function unique(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (codeOf(error) === 'ER_DUP_ENTRY') throw conflict('label_exists', 'There is a label of this name already.')
    throw error
  }
}
