/** What an account asks of approvals of its posts. */
import { changePostSettings } from '../../backend/post-steps.ts'
import { postSettingsShape } from '../presenters/post-shapes.ts'
import type { PostSettingsJson } from '../presenters/post-shapes.ts'
import { route } from '../route.ts'
import type { Call } from '../route.ts'

/** Stand before `/posts/:id`. */
export const postSettingsRoutes = [
  route({
    method: 'get',
    path: '/posts/settings',
    tag: 'posts',
    summary: 'What the account asks of approvals',
    permission: 'posts.read',
    answer: postSettingsShape,
    handle: (_input, call) => answerSettings(call),
  }),
  route({
    method: 'patch',
    path: '/posts/settings',
    tag: 'posts',
    summary: 'Change what the account asks of approvals',
    permission: 'account.manage',
    body: postSettingsShape.partial().strict(),
    answer: postSettingsShape,
    async handle({ body }, call) {
      await changePostSettings(call.storage, call.asker.accountId, call.actor, {
        approval: body.approval,
        fourEyes: body.four_eyes,
      })
      return answerSettings(call)
    },
  }),
]

async function answerSettings({ storage, asker }: Call): Promise<PostSettingsJson> {
  const { approval, fourEyes } = await storage.plannedPosts.settings(storage.fresh, asker.accountId)
  return { approval, four_eyes: fourEyes }
}
