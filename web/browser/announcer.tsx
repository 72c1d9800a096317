/** Says aloud, to screen readers only, what others see arrive. */
import { useEffect, useState } from 'react'
import { useSpeech, type Key } from './texts/index.tsx'

interface Saying {
  readonly key: Key
  readonly values: Readonly<Record<string, string>>
}

let say: (saying: Saying) => void = () => {}

export const announce = (key: Key, values: Readonly<Record<string, string>> = {}): void => say({ key, values })

export function Announcer() {
  const { t } = useSpeech()
  const [saying, setSaying] = useState<Saying>()
  useEffect(() => {
    say = setSaying
    return () => {
      say = () => {}
    }
  }, [])
  return (
    <div aria-live="polite" role="status" className="heard-only">
      {saying && t(saying.key, saying.values)}
    </div>
  )
}
