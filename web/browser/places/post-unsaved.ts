/** Nothing that was written is left behind unasked: by links, by the page's end, by what the calendar itself does. */
import { useEffect, useRef } from 'react'
import { useNavigate } from 'react-router'

type Go = () => void
let guard: ((go: Go) => void) | undefined

/** Goes at once, or once whoever has something unsaved has been asked. */
export const leave = (go: Go): void => (guard ? guard(go) : go())

/** As long as `isDirty`, whoever leaves is stopped and `ask` is called with the way that they wanted to go. */
export function useUnsaved(isDirty: boolean, ask: (go: Go) => void): void {
  const navigate = useNavigate()
  const current = useRef(ask)
  useEffect(() => {
    current.current = ask
  })
  useEffect(() => {
    if (!isDirty) return undefined
    guard = (go) => current.current(go)
    const onUnload = (event: BeforeUnloadEvent): void => event.preventDefault()
    const onClick = (event: MouseEvent): void => {
      const link = event.target instanceof Element ? event.target.closest('a[href]') : null
      if (!(link instanceof HTMLAnchorElement) || link.target === '_blank' || event.ctrlKey || event.metaKey) return
      // The same post beside another view is no leaving; what leads out of the app asks by itself.
      if (link.origin !== location.origin || link.pathname === location.pathname) return
      event.preventDefault()
      event.stopPropagation()
      current.current(() => void navigate(`${link.pathname}${link.search}`))
    }
    addEventListener('beforeunload', onUnload)
    addEventListener('click', onClick, true)
    return () => {
      guard = undefined
      removeEventListener('beforeunload', onUnload)
      removeEventListener('click', onClick, true)
    }
  }, [isDirty, navigate])
}
