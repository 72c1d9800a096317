/** Texts with variables such as `{{contact.first_name|there}}`: what is behind the stroke is said where nothing is known. */
import { invalid } from '../infra/errors.ts'

export const variables = ['contact.name', 'contact.first_name', 'agent.name', 'channel.name', 'account.name'] as const
export type Variable = (typeof variables)[number]

/** null: not known. */
export type Values = Readonly<Record<Variable, string | null>>

const placeholder = /\{\{([^{}]{1,200})\}\}/g
const isVariable = (name: string): name is Variable => (variables as readonly string[]).includes(name)

/** Filled in once: what a value holds is text, whatever it looks like. */
export function fillIn(text: string, values: Values): string {
  return text.replace(placeholder, (whole, inside: string) => {
    const [name = '', ...rest] = inside.split('|')
    const variable = name.trim()
    return isVariable(variable) ? (values[variable] ?? rest.join('|').trim()) : whole
  })
}

/** @throws Problem 422 that names a variable which there is not */
export function checkVariables(text: string, field: string): void {
  for (const [, inside = ''] of text.matchAll(placeholder)) {
    const name = (inside.split('|')[0] ?? '').trim()
    if (!isVariable(name))
      throw invalid([{ field, message: `There is no variable {{${name}}}; there are: ${variables.join(', ')}.` }])
  }
}

/** The first word of a name. */
export const firstNameOf = (name: string | null): string | null => name?.trim().split(/\s+/)[0] ?? null
