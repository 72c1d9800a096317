/** Our encoder against rhea's decoder: every message that one writes, the other reads. */
import fc from 'fast-check'
import rhea from 'rhea'
import { expect, it } from 'vitest'
import { bodyOf, encodeMessage, propertiesOf } from '../messaging/broker/codec.ts'

it('writes what another library reads', () => {
  const text = fc.string({ unit: 'binary', maxLength: 300 })
  const properties = fc.option(fc.dictionary(fc.stringMatching(/^[a-z][a-z_]{0,39}$/), text), { nil: undefined })
  fc.assert(
    fc.property(text, fc.uint8Array({ maxLength: 2_000 }), properties, fc.boolean(), (id, body, given, isWatched) => {
      const bytes = encodeMessage(
        { id, body, ...(given === undefined ? {} : { properties: given }) },
        isWatched ? '_AMQ_DUPL_ID' : undefined,
      )
      const message = rhea.message.decode(bytes)
      expect(message['durable']).toBe(true)
      expect(message['message_id']).toBe(id)
      expect(bodyOf(message['body']).equals(body)).toBe(true)
      expect(propertiesOf(message['application_properties'])).toEqual({ ...given })
      expect('_AMQ_DUPL_ID' in (message['application_properties'] ?? {})).toBe(isWatched)
    }),
    { numRuns: 500 },
  )
})
