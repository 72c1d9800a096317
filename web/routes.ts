/** Every route of the API, written out. Express and the OpenAPI document are both made of this list. */
import type { Route } from './route.ts'
import { actRoutes } from './routes/acts.ts'
import { appSpendRoutes } from './routes/app-spend.ts'
import { appRoutes } from './routes/apps.ts'
import { attachmentRoutes } from './routes/attachments.ts'
import { auditRoutes } from './routes/audit.ts'
import { cannedReplyRoutes } from './routes/canned-replies.ts'
import { bulkRoutes } from './routes/bulk.ts'
import { channelRoutes } from './routes/channels.ts'
import { connectRoutes } from './routes/connect.ts'
import { contactMergeRoutes } from './routes/contact-merges.ts'
import { contactRoutes } from './routes/contacts.ts'
import { conversationRoutes } from './routes/conversations.ts'
import { deadLetterRoutes } from './routes/dead-letters.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { documentRoutes } from './routes/documents.ts'
import { eventRoutes } from './routes/events.ts'
import { invitationRoutes } from './routes/invitations.ts'
import { macroRoutes } from './routes/macros.ts'
import { labelRoutes } from './routes/labels.ts'
import { mediaRoutes } from './routes/media.ts'
import { messageRoutes } from './routes/messages.ts'
import { postStepRoutes } from './routes/post-steps.ts'
import { postRoutes } from './routes/posts.ts'
import { profileRoutes } from './routes/profile.ts'
import { receivedRoutes } from './routes/received.ts'
import { roleRoutes } from './routes/roles.ts'
import { ruleRoutes } from './routes/rules.ts'
import { scheduledRoutes } from './routes/scheduled.ts'
import { searchRoutes } from './routes/search.ts'
import { segmentRoutes } from './routes/segments.ts'
import { sessionRoutes } from './routes/session.ts'
import { teamRoutes } from './routes/teams.ts'
import { togetherRoutes } from './routes/together.ts'
import { templateRoutes } from './routes/templates.ts'
import { userRoutes } from './routes/users.ts'
import { viewRoutes } from './routes/views.ts'

/** Their paths are below /api/v1. */
export const routes: readonly Route[] = [
  ...sessionRoutes,
  ...profileRoutes,
  ...userRoutes,
  ...invitationRoutes,
  ...roleRoutes,
  ...teamRoutes,
  ...auditRoutes,
  ...appRoutes,
  ...appSpendRoutes,
  ...channelRoutes,
  ...templateRoutes,
  ...connectRoutes,
  ...bulkRoutes,
  ...conversationRoutes,
  ...labelRoutes,
  ...viewRoutes,
  ...togetherRoutes,
  ...messageRoutes,
  ...cannedReplyRoutes,
  ...macroRoutes,
  ...ruleRoutes,
  ...scheduledRoutes,
  ...actRoutes,
  ...deliveryRoutes,
  ...attachmentRoutes,
  ...postRoutes,
  ...postStepRoutes,
  ...contactRoutes,
  ...contactMergeRoutes,
  ...segmentRoutes,
  ...searchRoutes,
  ...eventRoutes,
  ...receivedRoutes,
  ...deadLetterRoutes,
  ...documentRoutes,
  ...mediaRoutes,
]
