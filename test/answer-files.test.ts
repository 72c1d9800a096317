/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call -- answers are looked into at will */
/** Files are said along: uploaded once, a part for each request, and what arrived and what did not is told apart. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { openStage } from './answer-stage.ts'
import type { Stage } from './answer-stage.ts'
import { photo } from './pictures.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})
afterEach(async () => {
  await stage.control('DELETE', 'faults')
})
afterAll(() => stage.close())

it('a text and a picture reach Messenger as two messages of one answer', async () => {
  const { person, conversationId } = await stage.customer('facebook')
  const picture = await stage.put(await photo(60, 40), 'image/jpeg', 'harbour.jpg')
  const said = await stage.say(conversationId, { text: 'Like this', attachments: [{ id: picture, alt_text: 'Boats' }] })
  expect(said).toMatchObject({
    state: 'queued',
    text: 'Like this',
    attachments: [{ kind: 'image', state: 'fetched', alt_text: 'Boats', title: 'harbour.jpg' }],
    delivery: {
      parts: [
        { position: 0, text: 'Like this', attachment_ids: [] },
        { position: 1, text: '', attachment_ids: [said.attachments[0].id] },
      ],
    },
  })
  const sent = await stage.becomes(said.id, 'sent', 'delivered', 'read')
  const seen = await stage.seen('facebook', person)
  expect(seen.map(({ text, files }) => [text, files?.length ?? 0])).toEqual([
    ['Like this', 0],
    ['', 1],
  ])
  expect(sent.delivery.parts.map(({ external_id }: { external_id: string }) => external_id)).toEqual(
    seen.map(({ external_id }) => external_id),
  )
})
