/** Rules at work: once per event, in order, without loops, and what a trial says. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRule } from '../backend/rules.ts'
import type { RuleWish } from '../backend/rules.ts'
import { runRules, startRules } from '../backend/run-rules.ts'
import { runTimedRules } from '../backend/timed-rules.ts'
import { tryRule } from '../backend/try-rule.ts'
import { newId } from '../infra/ids.ts'
import { Directory } from '../messaging/directory.ts'
import { numberFacts } from '../messaging/events.ts'
import { followOnce } from '../messaging/follow.ts'
import { Names } from '../messaging/names.ts'
import { receiveBodies } from '../messaging/receive.ts'
import { everything, platformActor } from '../storage/index.ts'
import type { Lease } from '../storage/index.ts'
import { permissions } from '../storage/model/permissions.ts'
import { ines, juma, pageBody, writes } from './people.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
let relay: Lease
let count = 0

const act = () => ({
  storage: platform.storage,
  asker: {
    ...{ accountId: platform.accountId, userId: platform.adminId, scope: everything },
    permissions: new Set(permissions),
  },
  actor: platformActor,
})
const wish: RuleWish = {
  ...{ name: 'a rule', isActive: true, trigger: { type: 'message.received' }, conditions: { all: [] } },
  ...{ acts: [{ do: 'note', text: 'seen' }], stopsAfter: false, pauseMinutes: null },
}
const make = async (change: Partial<RuleWish>): Promise<string> => {
  const id = newId()
  await createRule(act(), id, { ...wish, ...change })
  return id
}
const takeLease = async (name: string): Promise<Lease> => {
  const lease = await platform.storage.write((tx) => platform.storage.leases.acquire(tx, name, 'test', 60_000))
  if (lease === undefined) throw new Error(`${name} is taken`)
  return lease
}
/** Someone writes; the conversation. */
async function write(text = 'hello', who = ines): Promise<string> {
  const externalId = `r${String(++count)}`
  const { storage } = platform
  await receiveBodies(
    { ...platform, directory: new Directory(storage), logger, names: new Names({ ...platform, logger }) },
    [{ id: newId(), appId: platform.appId, bytes: pageBody([writes(who, externalId, text, new Date())]) }],
  )
  return (await platform.messages()).find((each) => each.externalId === externalId)?.conversationId ?? ''
}
const number = async (): Promise<void> => {
  while ((await numberFacts(platform.storage, relay)) > 0);
}
/** Everything that has happened is numbered and worked on, and what follows from it. */
async function settle(): Promise<void> {
  const { storage } = platform
  for (;;) {
    await number()
    const failed: unknown[] = []
    const worked = await followOnce(storage, follow, follower(), (_event, error) => failed.push(error))
    expect(failed).toEqual([])
    if (worked === 0) return
  }
}
let follow: Lease
const follower = () => ({
  name: 'rules-here',
  types: ['message.received', 'conversation.created', 'conversation.changed', 'note.added', 'delivery.changed'],
  handle: (tx: Parameters<typeof runRules>[1], events: Parameters<typeof runRules>[2]) =>
    runRules(platform.storage, tx, events),
})
const runs = async (conversationId: string) =>
  (
    await platform.storage.rules.runs(platform.storage.primary, platform.accountId, { conversationId }, { limit: 200 })
  ).reverse()
const notes = async (conversationId: string) =>
  (await platform.messages())
    .filter((each) => each.conversationId === conversationId && each.kind === 'note')
    .map(({ text }) => text)
const replies = async (conversationId: string) =>
  (await platform.messages()).filter((each) => each.conversationId === conversationId && each.kind === 'reply')
const read = (id: string) => platform.storage.conversations.get(platform.storage.primary, platform.accountId, id)

beforeAll(async () => {
  platform = await openPlatform()
  relay = await takeLease('relay')
  follow = await takeLease('follow-rules-here')
  await platform.storage.write((tx) => platform.storage.followers.begin(tx, 'rules-here'))
})
afterAll(() => platform.close())
beforeEach(async () => {
  await settle()
  await platform.storage.write((tx) => tx.run('delete from rules'))
})

describe('a rule', () => {
  it('does what it says, in its order, and writes down why', async () => {
    const label = newId()
    await platform.storage.write((tx) =>
      platform.storage.labels.create(tx, {
        id: label,
        accountId: platform.accountId,
        name: 'Refund',
        color: '#000000',
      }),
    )
    const id = await make({
      conditions: { all: [{ field: 'text', op: 'any', value: ['refund'] }] },
      acts: [
        { do: 'label', label: 'Refund' },
        { do: 'priority', priority: 'high' },
        { do: 'assign', user_id: platform.adminId },
        { do: 'note', text: 'for {{contact.name|somebody}} at {{account.name}}' },
        { do: 'reply', text: 'Hello {{contact.first_name|there}}' },
      ],
    })
    const other = await write('good morning', juma)
    const conversation = await write('I want a REFUND now')
    await settle()
    const after = await read(conversation)
    expect([after?.priority, after?.assigneeId]).toEqual([2, platform.adminId])
    expect((await notes(conversation))[0]).toMatch(/^for .+ at .+/)
    const [reply] = await replies(conversation)
    expect(reply?.text).toMatch(/^Hello /)
    expect([reply?.authorId, reply?.extra?.['by_rule']]).toEqual([null, id])
    const [run] = await runs(conversation)
    expect([run?.ruleId, run?.outcome, run?.did?.['changed']]).toEqual([id, 'done', ['assignee', 'priority', 'labels']])
    expect(JSON.stringify(run?.did?.['why'])).toContain('refund')
    expect(await runs(other)).toEqual([])
  })

  it('runs once per event while two nodes follow and one of them dies', async () => {
    const { storage } = platform
    const second = await platform.openNode('node-2')
    const id = await make({ acts: [{ do: 'note', text: 'once' }] })
    const mine = async () => (await runs(conversation)).filter(({ ruleId }) => ruleId === id)
    const conversation = await write('first')
    const nodes = [storage, second.storage].map((each, n) =>
      startRules({ storage: each, logger, holder: `node-${String(n)}` }),
    )
    // A new follower begins behind what is there already.
    await until(async () => (await storage.followers.position(storage.primary, 'rules')) !== undefined)
    for (let n = 0; n < 10; n++) await write(`message ${String(n)}`)
    await number()
    await until(async () => (await mine()).length > 2)
    // Its lease is taken away under it, as from one that stands still.
    await storage.write((tx) =>
      tx.run(
        "update leases set epoch = epoch + 1, holder = 'thief', expires_at = utc_timestamp(3) where name = 'follow-rules'",
      ),
    )
    for (let n = 10; n < 20; n++) await write(`message ${String(n)}`)
    await number()
    await nodes[0]?.stop()
    await until(async () => (await mine()).length >= 20, 20_000)
    await nodes[1]?.stop()
    const all = await mine()
    expect(new Set(all.map(({ eventNumber }) => eventNumber)).size).toBe(all.length)
    expect((await notes(conversation)).filter((text) => text === 'once')).toHaveLength(
      all.filter(({ outcome }) => outcome === 'done').length,
    )
    await settle()
  }, 40_000)

  it('stops later ones, in the order that was set', async () => {
    const conversation = await write('x', juma)
    await settle()
    await make({ acts: [{ do: 'note', text: 'one' }] })
    await make({ acts: [{ do: 'note', text: 'two' }], stopsAfter: true })
    await make({ acts: [{ do: 'note', text: 'three' }] })
    await write('y', juma)
    await settle()
    expect((await notes(conversation)).slice(-2)).toEqual(['one', 'two'])
  })

  it('sees what the one before has done', async () => {
    await make({ acts: [{ do: 'priority', priority: 'urgent' }] })
    await make({
      conditions: { all: [{ field: 'priority', op: 'any', value: ['urgent'] }] },
      acts: [{ do: 'note', text: 'is urgent' }],
    })
    const conversation = await write('z', juma)
    await settle()
    expect((await notes(conversation)).at(-1)).toBe('is urgent')
  })

  it('answers nobody twice for one event, and nobody who is blocked', async () => {
    await make({ acts: [{ do: 'reply', text: 'first answer' }] })
    await make({ acts: [{ do: 'reply', text: 'second answer' }] })
    const before = (await replies(await write('w', juma))).length
    await settle()
    const conversation = await write('still there?', juma)
    await settle()
    expect((await replies(conversation)).slice(before).map(({ text }) => text)).toEqual([
      'first answer',
      'first answer',
    ])
    const contactId = (await read(conversation))?.contactId ?? ''
    await platform.storage.write((tx) =>
      tx.run('update contacts set blocked_at = utc_timestamp(3) where id = ?', [contactId]),
    )
    const answered = (await replies(conversation)).length
    await write('and now?', juma)
    await settle()
    await platform.storage.write((tx) => tx.run('update contacts set blocked_at = null where id = ?', [contactId]))
    expect(await replies(conversation)).toHaveLength(answered)
    expect((await runs(conversation)).at(-1)?.did?.['skipped']).toEqual([{ do: 'reply', why: 'contact_blocked' }])
  })

  it('leaves nothing half done when one of its acts is refused', async () => {
    const id = newId()
    await platform.storage.write((tx) =>
      platform.storage.labels.create(tx, { id, accountId: platform.accountId, name: 'Gone', color: '#000000' }),
    )
    await make({
      acts: [
        { do: 'note', text: 'half' },
        { do: 'label', label: id },
      ],
    })
    await make({ acts: [{ do: 'note', text: 'whole' }] })
    await platform.storage.write((tx) => platform.storage.labels.remove(tx, platform.accountId, id))
    const conversation = await write('v', juma)
    await settle()
    expect((await notes(conversation)).slice(-1)).toEqual(['whole'])
    expect(await notes(conversation)).not.toContain('half')
    expect((await runs(conversation)).slice(-2).map(({ outcome }) => outcome)).toEqual(['failed', 'done'])
  })
})

describe('loops', () => {
  it('end: no rule runs on what it has led to, be it through others', async () => {
    const conversation = await write('u', juma)
    await settle()
    const up = await make({
      trigger: { type: 'conversation.changed', changed: ['priority'] },
      conditions: { all: [{ field: 'priority', op: 'any', value: ['low'] }] },
      acts: [{ do: 'priority', priority: 'high' }],
    })
    const down = await make({
      trigger: { type: 'conversation.changed', changed: ['priority'] },
      conditions: { all: [{ field: 'priority', op: 'any', value: ['high'] }] },
      acts: [{ do: 'priority', priority: 'low' }],
    })
    const before = (await runs(conversation)).length
    const { changeConversation } = await import('../backend/conversations.ts')
    await changeConversation(platform.storage, platform.accountId, conversation, { priority: 1 }, platform.adminId)
    await settle()
    // The first of them runs; the second sees what it has done within the same event or after it; then it ends.
    const all = (await runs(conversation)).slice(before)
    expect(all.filter(({ outcome }) => outcome === 'done').length).toBeLessThanOrEqual(4)
    expect(all.some(({ outcome, ruleId }) => outcome === 'loop' && [up, down].includes(ruleId))).toBe(true)
  })

  it('end: notes that answer notes', async () => {
    const conversation = await write('t', juma)
    await settle()
    await make({ trigger: { type: 'note.added' }, acts: [{ do: 'note', text: 'echo' }] })
    const { addNote } = await import('../messaging/send.ts')
    const { accountId, adminId, storage } = platform
    await addNote(storage, { accountId, conversationId: conversation, userId: adminId, text: 'begin' })
    await settle()
    expect((await notes(conversation)).filter((text) => text === 'echo')).toHaveLength(1)
    expect((await runs(conversation)).at(-1)?.outcome).toBe('loop')
  })

  it('end: more than twenty runs within an hour pause the rule there, with a note', async () => {
    const id = await make({ name: 'Chatty', acts: [{ do: 'priority', priority: 'high' }] })
    let conversation = ''
    for (let n = 0; n < 25; n++) conversation = await write(`again ${String(n)}`, ines)
    await settle()
    const mine = (await runs(conversation)).filter(({ ruleId }) => ruleId === id)
    expect(mine.map(({ outcome }) => outcome)).toEqual([...Array.from({ length: 20 }, () => 'done'), 'paused'])
    expect((await notes(conversation)).filter((text) => text?.includes('Chatty'))).toHaveLength(1)
    expect((await platform.storage.rules.pauses(platform.storage.primary, platform.accountId)).get(id)).toBe(1)
  }, 20_000)
})

describe('an automatic answer outside business hours', () => {
  it('is given once in twelve hours', async () => {
    const { storage, accountId } = platform
    await storage.write((tx) =>
      storage.businessHours.put(tx, {
        accountId,
        ownerId: accountId,
        timeZone: 'UTC',
        weekly: [[], [], [], [], [], [], []],
        holidays: [],
      }),
    )
    const id = await make({
      conditions: { all: [{ field: 'business_hours', op: 'is', value: false }] },
      acts: [{ do: 'reply', text: 'We are closed.' }],
      pauseMinutes: 720,
    })
    const conversation = await write('anybody?', juma)
    await write('hello?', juma)
    await settle()
    await write('hello??', juma)
    await settle()
    const closed = async () => (await replies(conversation)).filter(({ text }) => text === 'We are closed.')
    expect(await closed()).toHaveLength(1)
    await storage.write((tx) => tx.run('update rule_runs set at = at - interval 13 hour where rule_id = ?', [id]))
    await write('tomorrow', juma)
    await settle()
    expect(await closed()).toHaveLength(2)
    await storage.write((tx) => storage.businessHours.remove(tx, accountId, accountId))
    await write('open now', juma)
    await settle()
    expect(await closed()).toHaveLength(2)
  })
})

describe('a time', () => {
  it('starts a rule once for each period of waiting, whichever nodes look', async () => {
    const { storage } = platform
    const id = await make({
      trigger: { type: 'unanswered', minutes: 30 },
      acts: [
        { do: 'priority', priority: 'urgent' },
        { do: 'note', text: 'waits' },
      ],
    })
    const conversation = await write('waiting', juma)
    await runTimedRules(storage)
    expect((await runs(conversation)).filter(({ ruleId }) => ruleId === id)).toEqual([])
    const wait = (minutes: number) =>
      storage.write((tx) =>
        tx.run('update conversations set waiting_since = utc_timestamp(3) - interval ? minute where id = ?', [
          minutes,
          conversation,
        ]),
      )
    await wait(31)
    await storage.write((tx) => tx.run('update rules set active_since = utc_timestamp(3) - interval 1 hour'))
    const second = await platform.openNode('node-3')
    await Promise.all([runTimedRules(storage), runTimedRules(second.storage), runTimedRules(storage)])
    const mine = async () => (await runs(conversation)).filter(({ ruleId }) => ruleId === id)
    expect((await mine()).map(({ outcome }) => outcome)).toEqual(['done'])
    await wait(32)
    await runTimedRules(storage)
    expect(await mine()).toHaveLength(2)
    // What came due before the rule was there is left alone.
    await storage.write((tx) => tx.run('update rules set active_since = utc_timestamp(3)'))
    await wait(45)
    await runTimedRules(storage)
    expect(await mine()).toHaveLength(2)
    expect((await notes(conversation)).filter((text) => text === 'waits')).toHaveLength(2)
  })
})

describe('a trial', () => {
  it('says what would be done and why, and writes nothing', async () => {
    const conversation = await write('please refund', juma)
    await settle()
    const state = async () =>
      platform.storage.primary.first(
        'select (select count(*) from messages) a, (select count(*) from rule_runs) b, (select count(*) from outbox) c, (select max(care_seq) from conversations) d, (select count(*) from audit_entries) e',
      )
    const before = await state()
    const trials = await tryRule(act(), {
      trigger: { type: 'message.received' },
      conditions: {
        all: [
          { field: 'text', op: 'any', value: ['refund'] },
          { field: 'visibility', op: 'any', value: ['direct'] },
        ],
      },
      acts: [{ do: 'reply', text: 'Dear {{contact.name|customer}}' }],
    })
    const mine = trials.find((trial) => trial.conversation.id === conversation)
    expect([mine?.isStarted, mine?.isMatch, mine?.verdict.parts?.map(({ is }) => is)]).toEqual([
      true,
      true,
      [true, true],
    ])
    expect(mine?.would).toEqual([{ do: 'reply', text: expect.stringMatching(/^Dear [^{]/) as string }])
    expect(trials.filter(({ isMatch }) => !isMatch).every(({ would }) => would.length === 0)).toBe(true)
    expect(await state()).toEqual(before)
  })

  it('refuses what there is not', async () => {
    const ask = (change: object) => tryRule(act(), { ...wish, ...change })
    await expect(ask({ acts: [{ do: 'assign', user_id: 'me' }] })).rejects.toThrow('nobody')
    await expect(ask({ acts: [{ do: 'label', label: 'No such' }] })).rejects.toThrow('label')
    await expect(ask({ acts: [{ do: 'note', text: '{{contact.secret}}' }] })).rejects.toThrow('contact.secret')
    await expect(ask({ conditions: { all: [{ field: 'team', op: 'any', value: [newId()] }] } })).rejects.toThrow('team')
  })
})
