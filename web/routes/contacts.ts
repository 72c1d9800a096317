/** People outside. */
import { z } from 'zod'
import { notFound } from '../../infra/errors.ts'
import { presentContact } from '../presenters/conversation.ts'
import { contactShape } from '../presenters/shapes.ts'
import { route } from '../route.ts'

export const contactRoutes = [
  route({
    method: 'get',
    path: '/contacts/:id',
    tag: 'contacts',
    summary: 'One contact, with addresses',
    permission: 'contacts.read',
    params: z.strictObject({ id: z.string() }),
    answer: contactShape,
    async handle({ params }, { storage, asker }) {
      const [contact, addresses] = await Promise.all([
        storage.contacts.get(storage.fresh, asker.accountId, params.id, asker.scope),
        storage.contacts.addressesOf(storage.fresh, asker.accountId, [params.id]),
      ])
      if (contact === undefined) throw notFound('contact')
      return presentContact(contact, addresses)
    },
  }),
]
