/** The short form of the replay; the long one is a command (`replay.ts`). The seed is printed: REPLAY_SEED repeats a failure. */
import { expect, it } from 'vitest'
import { replay } from './replay.ts'

it('keeps everything once and in order that comes three times in random order while parts are killed', async () => {
  const seed = Number(process.env['REPLAY_SEED'] ?? Date.now() % 1_000_000)
  const log = (line: string): void => {
    console.log(line)
  }
  const tally = await replay({ events: 3_000, times: 3, kills: 3, seed, killEveryMs: 2_500, spreadMs: 9_000, log })
  console.log(JSON.stringify(tally))
  expect(tally).toMatchObject({ lost: 0, twice: 0, wrongText: 0, outOfOrder: 0, stored: tally.said, shown: tally.said })
  expect(tally.killed.length).toBeGreaterThanOrEqual(2)
  expect(tally.said).toBeGreaterThan(2_500)
})
