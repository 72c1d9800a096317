/** The short form of the replies under trouble; the long one is a command (`answers.ts`). ANSWERS_SEED repeats a failure. */
import { expect, it } from 'vitest'
import { answerAll } from './answers.ts'

it('delivers every reply once and in order while nodes, broker, primary and networks fail', async () => {
  const seed = Number(process.env['ANSWERS_SEED'] ?? Date.now() % 1_000_000)
  const log = (line: string): void => {
    console.log(line)
  }
  const tally = await answerAll({ replies: 800, conversations: 40, troubles: 12, seed, troubleEveryMs: 1_500, log })
  console.log(JSON.stringify(tally))
  expect(tally).toMatchObject({ accepted: 800, lost: 0, twice: 0, outOfOrder: 0, failed: 0 })
  expect(tally.seenOnce + tally.unknown - tally.unknownSeen).toBe(800)
  expect(Object.keys(tally.troubles).length).toBeGreaterThan(1)
})
