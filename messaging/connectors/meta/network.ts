/** Meta as a network: one webhook address for pages, Instagram and WhatsApp. */
import { pageReaders } from '../facebook/receive.ts'
import { instagramReaders } from '../instagram/receive.ts'
import { whatsappReaders } from '../whatsapp/receive.ts'
import type { Network } from '../connector.ts'
import { examineApp } from './app.ts'
import { openEnvelope } from './envelope.ts'
import { answerHubChallenge, verifyMeta } from './signature.ts'

export const meta: Network = {
  name: 'meta',
  answerHandshake: answerHubChallenge,
  verify: verifyMeta,
  examineApp,
  parse: (body) =>
    openEnvelope(body, { facebook: pageReaders, instagram: instagramReaders, whatsapp: whatsappReaders }),
}
