/** A Graph API of one test: says what it is told to say, and keeps a ledger of what customers saw. */
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import { z } from 'zod'

const sent = z.object({
  recipient: z.object({ id: z.string().optional() }),
  message: z.object({ text: z.string(), metadata: z.string().optional() }),
})

/** What a customer saw. */
export interface Seen {
  readonly mid: string
  readonly to: string
  readonly text: string
  readonly reference: string | undefined
  readonly at: number
}

/** What the network does with one request; `lost`: it takes the message and breaks the line. */
export type Behaviour = 'sent' | 'lost' | 'busy' | 'refused' | 'token' | 'slow' | 'hang'

export interface Graph {
  readonly url: string
  readonly seen: Seen[]
  requests: number
  /** Decides for each message; all are sent unless it says otherwise. */
  behave: (text: string) => Behaviour
  /** Headers of the answers to calls with this token: how much of the allowances is used. */
  usage: (token: string) => Readonly<Record<string, string>>
  /** Nothing is allowed with the token any more. */
  isTokenDead: boolean
  /** Answers a look-up of a conversation. */
  lookUp: (personId: string) => readonly { id: string; message: string; at: number }[] | 'error'
  /** Breaks the lines of requests that hang. */
  hangUp(): void
  /** The look-up that tells the truth. */
  readonly remember: Graph['lookUp']
  close(): Promise<void>
}

const refusals: Partial<
  Record<Behaviour, { readonly status: number; readonly error: { readonly code: number; readonly message: string } }>
> = {
  busy: { status: 500, error: { code: 2, message: 'Service temporarily unavailable' } },
  refused: { status: 400, error: { code: 100, message: 'Invalid parameter' } },
  token: { status: 401, error: { code: 190, message: 'The session has been invalidated.' } },
}

export async function openGraph(pageId: string): Promise<Graph> {
  let number = 0
  const hung: ServerResponse[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://graph')
      if (graph.isTokenDead) {
        if (url.pathname.endsWith('/messages')) graph.requests += 1
        answer(response, 401, { error: refusals.token?.error })
      } else if (url.pathname.endsWith('/subscribed_apps'))
        answer(response, 200, request.method === 'GET' ? { data: [] } : { success: true })
      else if (request.method === 'GET' && url.pathname.endsWith('/conversations'))
        answerLookUp(response, url.searchParams.get('user_id') ?? '')
      else if (request.method === 'GET')
        answer(response, 200, { id: url.pathname.split('/').at(-1), name: 'Asked Name' })
      else {
        for (const [name, value] of Object.entries(graph.usage(url.searchParams.get('access_token') ?? '')))
          response.setHeader(name, value)
        void take(response, Buffer.concat(chunks).toString())
      }
    })
  })
  const take = async (response: ServerResponse, body: string): Promise<void> => {
    graph.requests += 1
    const { recipient, message } = sent.parse(JSON.parse(body))
    const behaviour = graph.behave(message.text)
    if (behaviour === 'hang') {
      hung.push(response)
      return
    }
    const refusal = refusals[behaviour]
    if (refusal !== undefined) {
      answer(response, refusal.status, { error: refusal.error })
      return
    }
    const mid = `m_out_${String(++number)}`
    graph.seen.push({ mid, to: recipient.id ?? '', text: message.text, reference: message.metadata, at: Date.now() })
    if (behaviour === 'lost') return void response.destroy()
    if (behaviour === 'slow') await new Promise((resolve) => setTimeout(resolve, 200))
    answer(response, 200, { recipient_id: recipient.id, message_id: mid })
  }
  const answer = (response: ServerResponse, status: number, json: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
  }
  const answerLookUp = (response: ServerResponse, personId: string): void => {
    const found = graph.lookUp(personId)
    if (found === 'error') return answer(response, 500, { error: { code: 2, message: 'temporarily unavailable' } })
    const data = found.map(({ id, message, at }) => ({
      id,
      message,
      created_time: new Date(at).toISOString(),
      from: { id: pageId },
    }))
    answer(response, 200, { data: [{ id: 't_1', messages: { data } }] })
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const remember: Graph['lookUp'] = (personId) =>
    graph.seen
      .filter(({ to }) => to === personId)
      .map(({ mid, text, at }) => ({ id: mid, message: text, at }))
      .reverse()
  const graph: Graph = {
    url: `http://127.0.0.1:${String(typeof address === 'object' && address !== null ? address.port : 0)}`,
    seen: [],
    requests: 0,
    behave: () => 'sent',
    usage: () => ({}),
    isTokenDead: false,
    lookUp: remember,
    remember,
    hangUp: () => {
      for (const response of hung.splice(0)) response.destroy()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
  return graph
}
