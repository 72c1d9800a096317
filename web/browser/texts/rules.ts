/** The texts of rules come along with their places, not with the inbox. */
import { addTexts } from './index.tsx'
import { rulesDe } from './rules-de.ts'
import { rulesEn } from './rules-en.ts'

addTexts({ en: rulesEn, de: rulesDe })
