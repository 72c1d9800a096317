/** What an app's calls cost where its network is paid by use. */
import { z } from 'zod'
import { readSpending, resumeApp } from '../../backend/app-spend.ts'
import { notFound } from '../../infra/errors.ts'
import { route } from '../route.ts'

const dollars = z.number().describe('US dollars')

export const spendShape = z.object({
  month: z.string().describe('of UTC, such as `2026-11`'),
  cap: dollars.nullable().describe('US dollars a month; null: none'),
  spent: dollars,
  kinds: z.array(z.object({ kind: z.string(), price: dollars, count: z.int(), spent: dollars })),
  months: z.array(z.object({ month: z.string(), spent: dollars })).describe('the newest first'),
})

export const appSpendRoutes = [
  route({
    method: 'get',
    path: '/apps/:id/spend',
    tag: 'apps',
    summary: "What the app's calls have cost this month and before, by our own count; nothing where use is not paid",
    permission: 'apps.manage',
    params: z.strictObject({ id: z.string() }),
    answer: spendShape,
    async handle({ params }, { storage, asker }) {
      const spending = await readSpending(storage, asker.accountId, params.id)
      if (spending === undefined) throw notFound('app')
      return {
        ...spending,
        kinds: spending.kinds.map((each) => ({ ...each })),
        months: spending.months.map((each) => ({ ...each })),
      }
    },
  }),
  route({
    method: 'post',
    path: '/apps/:id/resume',
    tag: 'apps',
    summary: 'There is room again at the network: what waits for its limits goes on at once',
    permission: 'apps.manage',
    params: z.strictObject({ id: z.string() }),
    body: z.strictObject({}),
    answer: z.object({ resumed: z.literal(true) }),
    async handle({ params }, { storage, asker }) {
      await resumeApp(storage, asker.accountId, params.id)
      return { resumed: true as const }
    },
  }),
]
