/** The settings of a command: the environment, and beneath it what the local cluster of the same home wrote down. */
import type { Config } from '../config.ts'
import { readConfig } from '../config.ts'
import { locateHome } from '../cluster/home.ts'
import { readPlan } from '../cluster/plan.ts'

/** Reads them. Whoever names a database of their own gets nothing from the local cluster. @throws ConfigError */
export function readSettings(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  if ((environment['PARLEY_PRIMARY_URL'] ?? '') !== '') return readConfig(environment)
  const plan = readPlan(locateHome(readConfig(environment).home))
  return readConfig({ ...plan?.environment, ...environment })
}

/** The PARLEY_* variables that were set by hand. */
export function ownSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      name.startsWith('PARLEY_') && value !== undefined && value !== '' ? [[name, value]] : [],
    ),
  )
}
