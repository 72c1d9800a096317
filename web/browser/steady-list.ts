/**
 * A list that does not jump. Rows that arrive above what is being looked at push nothing down: the list scrolls by as much
 * as was put in, and a count says that something new is above. Only a list that nobody works in flows by itself.
 */
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react'
import type { ConversationJson } from '../presenters/shapes.ts'

export function useSteadyList(
  scroller: RefObject<HTMLDivElement | null>,
  conversations: readonly ConversationJson[],
  selected: string | undefined,
  scope: string,
  rowHeight: number,
) {
  const virtualizer = useVirtualizer({
    count: conversations.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => conversations[index]?.id ?? index,
    overscan: 12,
  })
  const isHeld = useRef(false)
  const before = useRef<{ readonly scope: string; readonly order: readonly string[] }>({ scope, order: [] })
  const [newAbove, setNewAbove] = useState(0)
  const [height, setHeight] = useState(0)

  useLayoutEffect(() => {
    const last = before.current
    const order = conversations.map(({ id }) => id)
    before.current = { scope, order }
    const element = scroller.current
    if (!element) return
    if (last.scope !== scope || last.order.length === 0) {
      if (last.scope !== scope) element.scrollTop = 0
      setNewAbove(0)
      setHeight(0)
      return
    }
    const first = Math.floor(element.scrollTop / rowHeight)
    const seen = last.order.slice(first, first + Math.ceil(element.clientHeight / rowHeight))
    const isWorkedIn =
      isHeld.current ||
      element.contains(document.activeElement) ||
      element.scrollTop > 0 ||
      (selected !== undefined && seen.includes(selected))
    const anchor = selected !== undefined && seen.includes(selected) ? selected : seen[0]
    if (!isWorkedIn || anchor === undefined) return
    const shift = order.indexOf(anchor) - last.order.indexOf(anchor)
    if (shift <= 0 || !order.includes(anchor)) return
    const top = element.scrollTop + shift * rowHeight
    // A short list is given room, or it could not be scrolled at all.
    setHeight(top + element.clientHeight)
    setNewAbove((count) => count + shift)
    const rows = element.querySelector<HTMLElement>('.rows')
    if (rows) rows.style.height = `${Math.max(order.length * rowHeight, top + element.clientHeight)}px`
    element.scrollTop = top
  }, [conversations, scope, selected, scroller, rowHeight])

  useEffect(() => {
    const element = scroller.current
    if (!element) return
    const onScroll = (): void => {
      if (element.scrollTop >= rowHeight / 2) return
      setNewAbove(0)
      setHeight(0)
    }
    element.addEventListener('scroll', onScroll, { passive: true })
    return () => element.removeEventListener('scroll', onScroll)
  }, [scroller, rowHeight])

  useEffect(() => virtualizer.measure(), [virtualizer, rowHeight])

  // A row chosen by key is brought into sight; one that is in sight stays.
  useEffect(() => {
    const index = before.current.order.indexOf(selected ?? '')
    if (index >= 0) virtualizer.scrollToIndex(index, { align: 'auto' })
  }, [selected, virtualizer])

  return {
    virtualizer,
    newAbove,
    height,
    hold: () => {
      isHeld.current = true
    },
    release: () => {
      isHeld.current = false
    },
    showNewest: () => scroller.current?.scrollTo({ top: 0 }),
  }
}
