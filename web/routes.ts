/** Every route of the API, written out. Express and the OpenAPI document are both made of this list. */
import type { Live } from './live.ts'
import type { Limiter } from './limits.ts'
import type { Route } from './route.ts'
import { appRoutes } from './routes/apps.ts'
import { channelRoutes } from './routes/channels.ts'
import { contactRoutes } from './routes/contacts.ts'
import { conversationRoutes } from './routes/conversations.ts'
import { deadLetterRoutes } from './routes/dead-letters.ts'
import { documentRoutes } from './routes/documents.ts'
import { eventRoutes } from './routes/events.ts'
import { messageRoutes } from './routes/messages.ts'
import { receivedRoutes } from './routes/received.ts'
import { sessionRoutes } from './routes/session.ts'
import { userRoutes } from './routes/users.ts'
import type { Auth } from './auth.ts'

/** What some routes need besides their call. */
export interface RouteParts {
  readonly auth: Auth
  readonly live: Live
  /** Failed attempts to sign in. */
  readonly signInLimiters: { readonly byAddress: Limiter; readonly byEmail: Limiter }
}

/** All routes; their paths are below /api/v1. */
export function listRoutes(parts: RouteParts): Route[] {
  return [
    ...sessionRoutes(parts.signInLimiters),
    ...userRoutes,
    ...appRoutes,
    ...channelRoutes,
    ...conversationRoutes,
    ...messageRoutes,
    ...contactRoutes,
    ...eventRoutes(parts),
    ...receivedRoutes,
    ...deadLetterRoutes,
    ...documentRoutes,
  ]
}
