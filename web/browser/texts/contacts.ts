/** Texts of contacts and of the search, in the script of these places. */
import { addTexts } from './index.tsx'
import { contactsDe } from './contacts-de.ts'
import { contactsEn } from './contacts-en.ts'

addTexts({ en: contactsEn, de: contactsDe })
