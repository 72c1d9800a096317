/** A change of many: started here, worked on by the server. */
import { useState } from 'react'
import type { BulkJson } from '../../presenters/inbox.ts'
import { isOffline } from '../live.ts'
import { useTell } from '../places/use-tell.ts'
import { useSpeech } from '../texts/index.tsx'
import { careApi, type CareWish } from './api.ts'
import type { Chosen } from './chosen.ts'
import type { Filter } from './filter.ts'

/** Starts a change of many; `job` is the one that was started last. */
export function useBulk(chosen: Chosen, meant: Filter | undefined) {
  const { t } = useSpeech()
  const { failed } = useTell()
  const [job, setJob] = useState<BulkJson>()
  const start = async (wish: CareWish): Promise<void> => {
    if (isOffline()) {
      failed(new Error(t('care.offline')))
      return
    }
    const { sort: _sort, view: _view, ...filter } = meant ?? {}
    try {
      setJob(await careApi.bulk(chosen.isAll ? { filter } : { ids: [...chosen.ids] }, wish))
      if (wish.add_labels === undefined && wish.remove_labels === undefined) chosen.clear()
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)))
    }
  }
  return { job, start, forget: () => setJob(undefined) }
}
