import type { User } from '../../storage/index.ts'
import type { SessionJson } from './shapes.ts'

/** Who signs in; nothing of how. */
export const presentUser = (user: User): SessionJson['user'] => ({
  id: user.id,
  name: user.name,
  email: user.email,
  role: user.role,
  language: user.language,
  time_zone: user.timeZone,
  availability: user.availability,
  availability_reason: user.availabilityReason,
})
