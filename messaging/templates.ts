/** Templates that a network has for a channel: asked there, and remembered for five minutes. */
import { z } from 'zod'
import type { Config } from '../infra/config.ts'
import { Problem } from '../infra/errors.ts'
import type { Channel, Storage } from '../storage/index.ts'
import type { Template } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'
import { openAccess } from './directory.ts'

const ttlSeconds = 300
const limitMs = 15_000
/** What the cache takes; an account that has more shows its newest. */
const most = 1_500

const schema = z.array(
  z.object({
    name: z.string(),
    language: z.string(),
    category: z.string(),
    state: z.string(),
    header: z.string().nullable(),
    body: z.string(),
    footer: z.string().nullable(),
    buttons: z.array(z.object({ text: z.string(), link: z.string().nullable() })),
  }),
)
export type ListedTemplate = z.infer<typeof schema>[number]

/**
 * In every state; only `APPROVED` ones may be said. None where the network knows no templates.
 * @throws Problem 422 `channel_disconnected`; 502 `network_refused` in the words of the network
 */
export async function listTemplates(
  storage: Storage,
  config: Pick<Config, 'networkHosts'>,
  channel: Channel,
): Promise<ListedTemplate[]> {
  const connector = connectorOf(channel.type)
  if (connector?.listTemplates === undefined) return []
  if (channel.disconnectedAt !== null)
    throw new Problem(422, 'channel_disconnected', 'The channel is no longer connected. Connect it again first.')
  const load = async (): Promise<ListedTemplate[]> => {
    const access = await openAccess(storage, config, channel)
    const answer = await connector.listTemplates?.(access, AbortSignal.timeout(limitMs))
    if (answer?.type === 'ok') return answer.value.slice(0, most).map(listed)
    throw new Problem(502, 'network_refused', `The network does not tell its templates. ${answer?.reason ?? ''}`.trim())
  }
  return storage.cache.read(`templates.1:${channel.accountId}:${channel.id}`, { ttlSeconds }, load, schema)
}

const listed = ({
  name,
  language,
  category,
  state,
  header,
  body,
  footer,
  buttons,
  links,
}: Template): ListedTemplate => ({
  name,
  language,
  category,
  state,
  header: header ?? null,
  body,
  footer: footer ?? null,
  buttons: buttons.map((text, index) => ({ text, link: links?.[index] || null })),
})
