/** Traffic on a running cluster, both ways, with a count at the end of what was said, stored, answered and seen. */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { channelTypes } from '../../storage/model/words.ts'

const ledgerShape = z.object({
  items: z.array(
    z.object({
      text: z.string(),
      external_id: z.string(),
      channel: z.string(),
      person: z.string(),
      direction: z.string(),
    }),
  ),
})
const messageShape = z.object({
  id: z.string(),
  conversation_id: z.string(),
  external_id: z.string().nullable(),
  text: z.string().nullable(),
  direction: z.string(),
  state: z.string().nullable(),
  occurred_at: z.string(),
})
const pageShape = z.object({ items: z.array(messageShape), next_cursor: z.string().nullable() })
const worldShape = z.object({
  channels: z.array(z.object({ external_id: z.string(), type: z.enum(channelTypes) })),
})

/** What the counts must be: everything said is stored once, everything answered was seen once. */
export interface Tally {
  readonly said: number
  readonly stored: number
  readonly storedTwice: number
  readonly lostInbound: number
  readonly outOfOrder: number
  readonly answered: number
  readonly seen: number
  readonly seenTwice: number
  readonly lostOutbound: number
  /** Answers whose outcome nobody could settle: shown as such, neither lost nor repeated. */
  readonly unknown: number
}

export interface Traffic {
  /** Stops saying and answering, waits until all is settled (at most `limitMs`), and counts. */
  finish(limitMs: number): Promise<Tally>
}

/** An agent's way in: the API with a bearer token. */
export class Agent {
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; json: unknown }> {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(8_000),
    })
    const text = await response.text()
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text) }
  }

  async listMessages(query: string): Promise<z.infer<typeof messageShape>[]> {
    const all: z.infer<typeof messageShape>[] = []
    let cursor: string | null = null
    do {
      const { status, json } = await this.call(
        'GET',
        `/messages?limit=100&${query}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      )
      if (status !== 200) throw new Error(`GET /messages answered ${status}: ${JSON.stringify(json)}`)
      const page: z.infer<typeof pageShape> = pageShape.parse(json)
      all.push(...page.items)
      cursor = page.next_cursor
    } while (cursor !== null)
    return all
  }
}

/** Starts `people` customers on every channel of the sandbox and one agent who answers each of them again and again. */
export async function startTraffic(agent: Agent, sandbox: string, name: string, people: number): Promise<Traffic> {
  const world = worldShape.parse(await control('GET', '/world'))
  const customers = world.channels.flatMap(({ external_id, type }) =>
    Array.from({ length: people }, (_, index) => ({
      channel: external_id,
      type,
      id: `${type === 'x' ? '88' : '99'}${hash(name)}${String(index).padStart(4, '0')}`,
    })),
  )
  const said = new Map<string, string>()
  const answered = new Map<string, string>()
  let going = true
  let number = 0

  async function control(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${sandbox}/control${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    })
    if (!response.ok) throw new Error(`sandbox ${path} answered ${response.status}`)
    return response.json()
  }

  async function speak(customer: (typeof customers)[number]): Promise<void> {
    while (going) {
      const text = `${name} in ${++number}`
      await control('POST', '/say', {
        type: customer.type,
        channel: customer.channel,
        person: { id: customer.id, name: `Guest ${customer.id}`, handle: `g${customer.id}` },
        kind: 'message',
        text,
      })
      said.set(text, customer.id)
      await sleep(60)
    }
  }

  async function answer(): Promise<void> {
    let turn = 0
    while (going) {
      const list = await agent.call('GET', '/conversations?limit=100').catch(() => undefined)
      const items = z
        .object({
          items: z.array(z.object({ id: z.string(), contact: z.object({ name: z.string() }), visibility: z.string() })),
        })
        .safeParse(list?.json)
      const mine = items.success
        ? items.data.items.filter((one) => one.contact.name.startsWith('Guest ') && one.visibility === 'direct')
        : []
      const conversation = mine[turn++ % Math.max(1, mine.length)]
      if (conversation !== undefined) await reply(conversation.id)
      await sleep(25)
    }
  }

  /** The same key until it is acknowledged: as a browser does whose connection broke. */
  async function reply(conversationId: string): Promise<void> {
    const text = `${name} out ${++number}`
    const key = `${name}-${number}`
    let tries = 0
    const end = Date.now() + 60_000
    while (Date.now() < end) {
      await sleep(tries++ === 0 ? 0 : 150)
      const result = await agent
        .call('POST', `/conversations/${conversationId}/messages`, { kind: 'reply', text }, { 'idempotency-key': key })
        .catch(() => undefined)
      if (result?.status === 201) {
        answered.set(text, messageShape.parse(result.json).id)
        return
      }
      if (result !== undefined && result.status < 500 && result.status !== 409 && result.status !== 429) {
        throw new Error(`reply refused: ${result.status} ${JSON.stringify(result.json)}`)
      }
    }
    throw new Error(`no answer to ${text} within a minute`)
  }

  const loops = [...customers.map(speak), answer(), answer()]
  const failed: unknown[] = []
  for (const loop of loops) void loop.catch((error: unknown) => failed.push(error))

  return {
    async finish(limitMs) {
      going = false
      await Promise.allSettled(loops)
      if (failed.length > 0) throw failed[0]
      const end = Date.now() + limitMs
      for (;;) {
        const tally = await count().catch((error: unknown) => {
          if (Date.now() > end) throw error
          return undefined
        })
        if (
          tally !== undefined &&
          (Date.now() > end || (tally.lostInbound === 0 && tally.lostOutbound === 0 && tally.unknown === 0))
        )
          return tally
        await sleep(500)
      }
    },
  }

  async function count(): Promise<Tally> {
    const inbound = (await agent.listMessages('direction=inbound&kind=message')).filter((one) =>
      one.text?.startsWith(`${name} in `),
    )
    const outbound = (await agent.listMessages('direction=outbound')).filter((one) =>
      one.text?.startsWith(`${name} out `),
    )
    const ledger = ledgerShape
      .parse(await control('GET', '/ledger'))
      .items.filter((one) => one.text.startsWith(`${name} out `))
    const stored = countBy(inbound, (one) => one.text ?? '')
    const seen = countBy(ledger, (one) => one.text)
    const unknown = new Set(outbound.filter((one) => one.state === 'unknown').map((one) => one.text))
    const open = new Set(
      outbound.filter((one) => ['queued', 'sending', 'retrying'].includes(one.state ?? '')).map((one) => one.text),
    )
    return {
      said: said.size,
      stored: stored.size,
      storedTwice:
        [...stored.values()].filter((times) => times > 1).length +
        outbound.length -
        countBy(outbound, (one) => one.text ?? '').size,
      lostInbound: [...said.keys()].filter((text) => !stored.has(text)).length,
      outOfOrder: countOutOfOrder(ledger, outbound),
      answered: answered.size,
      seen: seen.size,
      seenTwice: [...seen.values()].filter((times) => times > 1).length,
      lostOutbound: [...answered.keys()].filter((text) => open.has(text) || (!seen.has(text) && !unknown.has(text)))
        .length,
      unknown: unknown.size,
    }
  }

  /** What a customer saw must stand in the order in which the answers were accepted, by the inbox's own account. */
  function countOutOfOrder(
    seen: readonly { text: string; channel: string; person: string }[],
    accepted: readonly z.infer<typeof messageShape>[],
  ): number {
    const order = new Map(
      [...accepted]
        .sort((a, b) => a.occurred_at.localeCompare(b.occurred_at) || a.id.localeCompare(b.id))
        .map((one, index) => [one.text, index]),
    )
    const last = new Map<string, number>()
    let crossed = 0
    for (const { text, channel, person } of seen) {
      const line = `${channel} ${person}`
      const index = order.get(text) ?? 0
      if (index < (last.get(line) ?? -1)) crossed++
      last.set(line, index)
    }
    return crossed
  }
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1)
  return counts
}

function hash(text: string): string {
  return String(Buffer.from(text).reduce((sum, byte) => (sum * 31 + byte) % 9_999_991, 7)).padStart(7, '0')
}
