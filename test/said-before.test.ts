/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument -- answers are looked into at will */
/** "That was said already": our own first try that had worked, or something that was said before. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openStage } from './answer-stage.ts'
import type { Stage } from './answer-stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

const asks = () => stage.customer('x', { kind: 'mention', text: '@harbour is it open?' })

it('a try of unknown fate that had worked, sent again by a person: found, not failed, and seen once', async () => {
  const { person, conversationId } = await asks()
  await stage.control('POST', 'faults', { fault: 'drop_answer', network: 'x', count: 1 })
  await stage.control('POST', 'faults', { fault: 'echo_none', network: 'x', count: 1 })
  const said = await stage.say(conversationId, { kind: 'comment', text: 'Until nine' })
  await stage.becomes(said.id, 'unknown')
  // Somebody has not looked well.
  await stage.ask(200, 'POST', `/messages/${String(said.id)}/settle`, { arrived: false })
  if ((await stage.ask(200, 'GET', `/messages/${String(said.id)}`)).state === 'failed')
    await stage.ask(200, 'POST', `/messages/${String(said.id)}/retry`, {})
  const message = await stage.becomes(said.id, 'sent', 'failed')
  expect(message.state).toBe('sent')
  expect(message.delivery.attempts).toMatchObject([{ outcome: 'unknown' }, { code: 'duplicate' }])
  const seen = await stage.seen('x', person)
  expect(seen).toMatchObject([{ text: 'Until nine', external_id: message.external_id }])
})

it('the same words to the same post once more: refused at once, in plain words', async () => {
  const { person, conversationId } = await asks()
  const first = await stage.say(conversationId, { kind: 'comment', text: 'Until ten' })
  await stage.becomes(first.id, 'sent')
  const second = await stage.say(conversationId, { kind: 'comment', text: 'Until ten' })
  const message = await stage.becomes(second.id, 'failed', 'unknown', 'sent')
  expect(message).toMatchObject({ state: 'failed', delivery: { attempts: [{ code: 'duplicate' }] } })
  expect(message.delivery.reason).toMatch(/^[A-Z].*\.$/)
  expect(await stage.seen('x', person)).toHaveLength(1)
})
