/** The people of the account, for assigning. */
import { page, userShape } from '../presenters/shapes.ts'
import { presentUser } from '../presenters/user.ts'
import { route } from '../route.ts'

export const userRoutes = [
  route({
    method: 'get',
    path: '/users',
    tag: 'users',
    summary: 'Who works here',
    permission: 'users.read',
    answer: page(userShape),
    async handle(_input, { storage, asker }) {
      const users = await storage.users.list(storage.fresh, asker.accountId)
      return { items: users.filter((user) => user.disabledAt === null).map(presentUser), next_cursor: null }
    },
  }),
]
