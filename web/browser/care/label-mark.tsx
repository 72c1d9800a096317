import type { ConversationJson } from '../../presenters/shapes.ts'

/** A label: its colour as a dot, so that its name keeps its contrast in both schemes. */
export function LabelMark({ label }: { readonly label: ConversationJson['labels'][number] }) {
  return (
    <span className="label-mark" title={label.name}>
      <span className="label-dot" style={{ background: label.color }} aria-hidden />
      <span className="label-name" dir="auto">
        {label.name}
      </span>
    </span>
  )
}
