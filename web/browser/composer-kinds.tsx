import { Tooltip, UnstyledButton } from '@mantine/core'
import { IconBrandHipchat, IconLock, IconNote, IconWorld } from '@tabler/icons-react'
import type { ComponentType } from 'react'
import type { Kind, Offer } from './sayable.ts'
import { useSpeech, type Key } from './texts/index.tsx'

const signs: Readonly<Record<Kind, ComponentType<{ size: number; 'aria-hidden'?: boolean }>>> = {
  reply: IconBrandHipchat,
  note: IconNote,
  comment: IconWorld,
  private_reply: IconLock,
}

interface Props {
  readonly offers: readonly Offer[]
  readonly kind: Kind
  readonly name: string
  /** By the arrows: the cursor stays here. */
  readonly onChoose: (kind: Kind) => void
  readonly onPress: (kind: Kind) => void
}

/** The kinds of answer; what is not possible now stays to be seen, and says why. */
export function ComposerKinds({ offers, kind, name, onChoose, onPress }: Props) {
  const { t } = useSpeech()
  const reasonOf = useReason()
  const isOpen = ({ refused }: Offer): boolean => refused === null || refused.except !== null
  const kinds = offers.filter(isOpen).map((each) => each.kind)
  return (
    <div className="composer-kinds" role="radiogroup" aria-label={t('composer.kind')}>
      {offers.map((offer) => {
        const { kind: each, refused } = offer
        const Sign = signs[each]
        const button = (
          <UnstyledButton
            key={each}
            role="radio"
            aria-checked={each === kind}
            aria-disabled={!isOpen(offer) || undefined}
            tabIndex={each === kind ? 0 : -1}
            className="composer-kind"
            data-kind={each}
            onClick={() => isOpen(offer) && onPress(each)}
            onKeyDown={(event) => {
              const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
              if (step === 0) return
              event.preventDefault()
              const next = kinds[(kinds.indexOf(kind) + step + kinds.length) % kinds.length] ?? each
              onChoose(next)
              const other = event.currentTarget.parentElement?.querySelector(`[data-kind="${next}"]`)
              if (other instanceof HTMLElement) other.focus()
            }}
          >
            <Sign size={16} aria-hidden />
            {t(`kind.${each}`)}
            {!isOpen(offer) && refused && <span className="heard-only">: {reasonOf(refused)}</span>}
          </UnstyledButton>
        )
        return refused ? (
          <Tooltip key={each} label={reasonOf(refused)} multiline maw={320}>
            {button}
          </Tooltip>
        ) : (
          button
        )
      })}
      <span className="composer-about" id="composer-about">
        {t(`composer.about_${kind}`, { name })}
      </span>
    </div>
  )
}

const told = [
  'window_closed',
  'private_reply_used',
  'nothing_to_answer',
  'deleted_target',
  'channel_disconnected',
  'kind_not_possible',
  'x_not_summoned',
] as const

/** Why something may not be said, in the reader's language where the code is known. */
export function useReason(): (refused: NonNullable<Offer['refused']>) => string {
  const { t } = useSpeech()
  return ({ code, reason }) => {
    const known = told.find((each) => each === code)
    return known ? t(`refused.${known}` satisfies Key) : reason
  }
}
