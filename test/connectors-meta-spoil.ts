/** Ways to spoil what a network sends: values of every wrong kind, and every place to put them. */

const nested = (depth: number): unknown => {
  let value: unknown = 'deep'
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value }
  return value
}
// prettier-ignore
export const bad: readonly unknown[] = [
  undefined, null, true, false, 0, -1, 1.5, 1e300, 2 ** 60, '', ' ', '0', 'x'.repeat(250), 'x'.repeat(200_000), '\u0000', '\ud800', '🧨'.repeat(5_000), `x${'🧨'.repeat(5_000)}`, '__proto__', 'constructor', 'toString',
  [], {}, [[]], [null], { id: null }, { type: {} }, nested(1_000), Array.from({ length: 2_000 }, () => ({})), '2025-13-45T99:99:99Z', '-1', '1e999', { __proto__: 1 },
]

/** Every place in a value: the path to each field and element. */
export function places(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  const entries: (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((one: unknown, index) => [index, one] as const)
    : Object.entries(value)
  return [path, ...entries.flatMap(([key, one]) => places(one, [...path, key]))]
}

/** A copy with another value in one place; `undefined` takes the field away. */
export function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (key === undefined) return by
  if (Array.isArray(value)) return value.map((one: unknown, index) => (index === key ? replaced(one, rest, by) : one))
  const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) }
  const next = replaced(copy[String(key)], rest, by)
  copy[String(key)] = next
  // JSON leaves out what is undefined.
  return copy
}
