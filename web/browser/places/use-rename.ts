import { useQueryClient } from '@tanstack/react-query'
import { keys } from '../queries.ts'
import { channelsApi } from './channels-api.ts'

/** Gives the channel another name, and shows it. */
export function useRename(id: string): (name: string) => Promise<void> {
  const client = useQueryClient()
  return async (name) => {
    client.setQueryData(keys.channel(id), await channelsApi.rename(id, name))
    await client.invalidateQueries({ queryKey: keys.channels })
  }
}
