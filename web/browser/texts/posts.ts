/** The texts of the calendar come along with it, not with the inbox. */
import { addTexts } from './index.tsx'
import { postsDe } from './posts-de.ts'
import { postsEn } from './posts-en.ts'

addTexts({ en: postsEn, de: postsDe })
