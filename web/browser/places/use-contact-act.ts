import { useMutation, useQueryClient } from '@tanstack/react-query'
import { contactsKey } from './contacts-api.ts'
import { useTell } from './use-tell.ts'

/** Does something with contacts, tells what went wrong, and asks anew for what it has made old. */
export function useContactAct<Given, Result>(
  act: (given: Given) => Promise<Result>,
  done?: (result: Result, given: Given) => void,
) {
  const client = useQueryClient()
  const tell = useTell()
  return useMutation({
    mutationFn: act,
    onSuccess: (result, given) => {
      done?.(result, given)
      return client.invalidateQueries({ queryKey: contactsKey })
    },
    onError: tell.failed,
  })
}
