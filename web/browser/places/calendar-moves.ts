/** Posts go to another time: refused in words, shown at once where they went. */
import { useQueryClient } from '@tanstack/react-query'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { useSpeech } from '../texts/index.tsx'
import type { Day, Zone } from './calendar-days.ts'
import { mayMove, movePost, postQueries } from './post-api.ts'
import { refusalText } from './post-state.tsx'
import { useTell } from './use-tell.ts'

/** @param find a post that is shown, by its id */
export function useMove(zone: Zone, today: Day, find: (id: string) => PlannedPostJson | undefined) {
  const speech = useSpeech()
  const { t } = speech
  const client = useQueryClient()
  const tell = useTell()

  /** @returns why it was refused */
  const move = async (post: PlannedPostJson, at: string): Promise<string | undefined> => {
    if (!mayMove(post)) return t('calendar.not_movable', { state: t(`post.state_${post.state}`) })
    if (Date.parse(at) <= Date.now()) return t('calendar.past')
    try {
      const moved = await movePost(post, at)
      client.setQueryData(postQueries.one(post.id).queryKey, moved)
      tell.done(t('calendar.moved', { time: zone.short(at) }))
      return undefined
    } catch (error) {
      return refusalText(speech, error instanceof Error ? error : new Error(String(error)))
    } finally {
      void client.invalidateQueries({ queryKey: postQueries.all })
    }
  }
  const drop = (id: string, day: Day): void => {
    const post = find(id)
    if (!post || (post.publish_at !== null && zone.dayOf(post.publish_at) === day)) return
    const clock = post.publish_at === null ? (day === today ? undefined : '09:00') : zone.clockOf(post.publish_at)
    // What has no time yet goes on the next full hour of today.
    const at = zone.instantOf(day, clock ?? zone.clockOf(Math.ceil((Date.now() + 60_000) / 3_600_000) * 3_600_000))
    void move(post, at).then((refused) => {
      if (refused !== undefined) tell.failed(new Error(refused))
    })
  }

  return { move, drop }
}
