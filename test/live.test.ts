/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument -- answers are looked into at will */
/** The live stream: what was announced comes once and in order, however often the line breaks. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { announce, openSite, password } from './web-site.ts'
import type { Node, Site } from './web-site.ts'

let site: Site
let node: Node
let other: Node

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  other = await site.addNode()
})
afterAll(() => site.close())

interface Heard {
  readonly id: number
  readonly type: string
  readonly data: { number: number; type: string; data: unknown }
}

interface Listener {
  readonly status: number
  readonly heard: Heard[]
  readonly text: () => string
  /** Resolves when the other side has ended the stream. */
  readonly ended: Promise<void>
  close(): void
}

async function listen(at: Node, headers: Record<string, string>, query = ''): Promise<Listener> {
  const control = new AbortController()
  const response = await fetch(`${at.url}/api/v1/live${query}`, { headers, signal: control.signal })
  const heard: Heard[] = []
  let all = ''
  const read = async () => {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const bytes of response.body ?? []) {
      const text = decoder.decode(bytes, { stream: true })
      all += text
      rest += text
      for (let mark = rest.indexOf('\n\n'); mark !== -1; mark = rest.indexOf('\n\n')) {
        const fields = new Map(
          rest
            .slice(0, mark)
            .split('\n')
            .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const),
        )
        rest = rest.slice(mark + 2)
        if (fields.has('data'))
          heard.push({
            id: Number(fields.get('id')),
            type: fields.get('event') ?? '',
            data: JSON.parse(fields.get('data') ?? ''),
          })
      }
    }
  }
  const ended = read().catch(() => undefined)
  return { status: response.status, heard, text: () => all, ended, close: () => control.abort() }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const last = () => site.storage.events.lastNumber(site.storage.primary)

async function until(check: () => boolean | Promise<boolean>, limitMs = 8_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await check())) {
    if (Date.now() > end) throw new Error('it did not come true')
    await sleep(10)
  }
}

describe('live events', () => {
  it('come soon, numbered, with type and data, to those of the account only', async () => {
    const ana = await listen(node, bearer(site.ana.token))
    const zoe = await listen(other, bearer(site.zoe.token))
    await until(() => ana.text().includes(': ready') && zoe.text().includes(': ready'))
    const first = (await last()) + 1
    const begin = Date.now()
    await announce(site.storage, site.ana.accountId, 3)
    await announce(site.storage, site.zoe.accountId, 1, 'conversation.changed')
    await until(() => ana.heard.length === 3)
    expect(Date.now() - begin).toBeLessThan(1_500)
    expect(ana.heard.map(({ id, type, data }) => [id, type, data.number])).toEqual(
      [0, 1, 2].map((index) => [first + index, 'message.received', first + index]),
    )
    await until(() => zoe.heard.length === 1)
    expect(zoe.heard[0]).toMatchObject({ id: first + 3, type: 'conversation.changed' })
    await sleep(200)
    expect(ana.heard).toHaveLength(3)
    ana.close()
    zoe.close()
  })

  it('resume from Last-Event-ID on another node without loss or repetition, while events flow', async () => {
    const begin = await last()
    const all: number[] = []
    const flowing = { isOver: false }
    const flow = (async () => {
      for (let turn = 0; turn < 150; turn++) {
        await announce(site.storage, turn % 5 === 0 ? site.zoe.accountId : site.ana.accountId, 1 + (turn % 7))
        if (turn % 10 === 0) await sleep(5)
      }
      flowing.isOver = true
    })()
    let at = begin
    let cuts = 0
    const expected = async () =>
      (await site.storage.events.after(site.storage.primary, site.ana.accountId, begin, 10_000)).map(
        ({ number }) => number,
      )
    for (let turn = 0; ; turn++) {
      const stream = await listen(turn % 2 === 0 ? node : other, {
        ...bearer(site.ana.token),
        'last-event-id': String(at),
      })
      const wanted = 20 + turn * 7
      await until(
        async () =>
          stream.heard.length >= wanted ||
          (flowing.isOver && (stream.heard.at(-1)?.id ?? at) === (await expected()).at(-1)),
      )
      // The browser has seen these; what was under way when the line broke comes again with the next one.
      const seen = stream.heard.slice(0, wanted).map(({ id }) => id)
      stream.close()
      cuts++
      all.push(...seen)
      at = all.at(-1) ?? at
      if (flowing.isOver && at === (await expected()).at(-1)) break
    }
    await flow
    expect(cuts).toBeGreaterThan(4)
    expect(all).toEqual(await expected())
  })

  it('catch up over many pages', async () => {
    const begin = await last()
    await announce(site.storage, site.ana.accountId, 1_700)
    const stream = await listen(node, { ...bearer(site.ana.token), 'last-event-id': String(begin) })
    await announce(site.storage, site.ana.accountId, 3)
    await until(() => stream.heard.length >= 1_703)
    expect(stream.heard.map(({ id }) => id)).toEqual(Array.from({ length: 1_703 }, (_, index) => begin + 1 + index))
    stream.close()
  })

  it('begin at the end for a number from the future, and refuse what is no number', async () => {
    const stream = await listen(node, { ...bearer(site.ana.token), 'last-event-id': '999999999' })
    await until(() => stream.text().includes(': ready'))
    await announce(site.storage, site.ana.accountId, 1)
    await until(() => stream.heard.length === 1)
    stream.close()
    expect((await listen(node, { ...bearer(site.ana.token), 'last-event-id': 'x' })).status).toBe(422)
    expect((await listen(node, {})).status).toBe(401)
  })

  it('are the same as the list of events', async () => {
    const begin = await last()
    await announce(site.storage, site.ana.accountId, 5)
    const page = await node.ask(site.ana, 'GET', `/events?after=${String(begin)}&limit=3`)
    expect(page.json.items.map((event: { number: number }) => event.number)).toEqual(
      [1, 2, 3].map((index) => begin + index),
    )
    const rest = await other.ask(site.ana, 'GET', `/events?after=${String(page.json.next_cursor)}`)
    expect(rest.json).toMatchObject({ items: [{ number: begin + 4 }, { number: begin + 5 }], next_cursor: null })
    expect((await node.ask(site.zoe, 'GET', `/events?after=${String(begin)}`)).json.items).toEqual([])
  })

  it('follow what someone may hear, within seconds, while the stream is open', async () => {
    const [ana, ben] = [await listen(node, bearer(site.ana.token)), await listen(other, bearer(site.ben.token))]
    await until(() => ana.text().includes(': ready') && ben.text().includes(': ready'))
    const become = (role: string) =>
      site.storage.write((tx) => site.storage.users.change(tx, site.ben.accountId, site.ben.userId, { role }))
    /** Whether ben hears of what ana hears of. */
    const hears = async () => {
      const before = ben.heard.length
      await announce(site.storage, site.ana.accountId, 1)
      const number = await last()
      await until(() => ana.heard.at(-1)?.id === number)
      await sleep(200)
      return ben.heard.length > before
    }
    await until(hears)
    // Once they are known well, a change is found among all who listen.
    await sleep(3_500)
    const { accountId } = site.ben
    const wish = { accountId, name: 'Counts people', permissions: ['users.read'] as const }
    await become(await site.storage.write((tx) => site.storage.roles.create(tx, wish)))
    await until(async () => !(await hears()))
    await become('agent')
    await until(hears)
    ana.close()
    ben.close()
  }, 30_000)

  it('end with the session, within seconds, on every node', async () => {
    const answer = await node.ask(undefined, 'POST', '/session', { email: site.ben.email, password })
    const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const stream = await listen(other, { cookie })
    const token = await listen(node, bearer(site.ben.token))
    await until(() => stream.text().includes(': ready'))
    await node.ask(undefined, 'DELETE', '/session', undefined, { cookie, 'x-csrf-token': answer.json.csrf_token })
    await Promise.race([
      stream.ended,
      sleep(8_000).then(() => {
        throw new Error('the stream did not end')
      }),
    ])
    expect((await listen(other, { cookie })).status).toBe(401)
    await site.storage.write((tx) =>
      site.storage.users.change(tx, site.ben.accountId, site.ben.userId, { disabledAt: new Date() }),
    )
    await Promise.race([
      token.ended,
      sleep(8_000).then(() => {
        throw new Error('the stream did not end')
      }),
    ])
  })

  it('let whoever was told of a fact read it at once, however far behind the replica is', async () => {
    const stream = await listen(node, bearer(site.ana.token))
    await until(() => stream.text().includes(': ready'))
    // Reads of an asker who has written nothing may come from the replica; the number of the event says what must be there.
    for (let turn = 0; turn < 20; turn++) {
      const name = `Renamed ${String(turn)}`
      const before = stream.heard.length
      await site.storage.write((tx) => tx.run('update users set name = ? where id = ?', [name, site.ana.userId]))
      await announce(site.storage, site.ana.accountId, 1)
      await until(() => stream.heard.length > before)
      const users = (await node.ask(site.ana, 'GET', '/users')).json.items
      expect(users.some((user: { name: string }) => user.name === name)).toBe(true)
    }
    stream.close()
  })

  it('are told to come back at different times when the node goes', async () => {
    const leaving = await site.addNode({ drainMs: 300 })
    const streams = await Promise.all(Array.from({ length: 6 }, () => listen(leaving, bearer(site.ana.token))))
    await until(() => streams.every((stream) => stream.text().includes(': ready')))
    const stopping = leaving.stop()
    await sleep(100)
    const ready = await fetch(`${leaving.url}/health/ready`)
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'not ready', reason: 'draining' }])
    expect((await leaving.ask(site.ana, 'GET', '/users')).status).toBe(200)
    await Promise.all(streams.map((stream) => stream.ended))
    await stopping
    const pauses = streams.map((stream) => [...stream.text().matchAll(/retry: (\d+)/g)].at(-1)?.[1])
    expect(new Set(pauses).size).toBeGreaterThan(3)
    await expect(fetch(`${leaving.url}/health/live`)).rejects.toThrow()
  })
})
