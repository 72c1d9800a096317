/** Brings everything that is sealed under the current key, while the cluster runs; afterwards the older keys may leave the key file. */
import type { Database } from './database.ts'
import type { Secrets } from './secrets.ts'
import { resealSome, sealedColumns } from './stores/sealed.ts'

const portion = 100

/** How many were sealed anew. Safe to stop and to run again. */
export async function resealAll(
  storage: Database & { readonly secrets: Secrets },
  signal?: AbortSignal,
): Promise<number> {
  let total = 0
  for (const place of sealedColumns) {
    let afterId = '00000000-0000-0000-0000-000000000000'
    for (;;) {
      signal?.throwIfAborted()
      const from = afterId
      const done = await storage.write((tx) => resealSome(tx, storage.secrets, place, from, portion))
      if (done === undefined) break
      afterId = done.lastId
      total += done.resealed
    }
  }
  return total
}
