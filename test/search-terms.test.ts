/** Words of many languages, as the search keeps and asks for them; and what people write into it. */
import { describe, expect, it } from 'vitest'
import { passageOf, spansOf } from '../storage/model/search-passage.ts'
import { parseSearch } from '../storage/model/search-query.ts'
import { emailKey, fold, indexed, phoneKey, tagOf, termsOf } from '../storage/model/search-terms.ts'

const words = (text: string) => termsOf(text).map((term) => term.text)

describe('terms', () => {
  it.each([
    ['Grüße, Łódź & Ærø!', ['grusse', 'lodz', 'aero']],
    ['ＡＢＣ１２ ﬁn', ['abc12', 'fin']],
    ['İstanbul ISPARTA Ισθμός', ['istanbul', 'isparta', 'ισθμοσ']],
    ['ok 7 a', ['ok', '7', 'a']],
    ['東京都庁', ['東京', '京都', '都庁', '庁']],
    ['ﾊﾟﾝ', ['ぱん', 'ん']],
    ['カメラとがっこう', ['かめ', 'めら', 'らと', 'とが', 'がっ', 'っこ', 'こう', 'う']],
    ['สวัสดี', ['สว', 'วั', 'ัส', 'สด', 'ดี', 'ี']],
    ['iPhone修理3台', ['iphone', '修理', '理', '3', '台']],
    ['مُحَمَّد', ['محمد']],
    ['', []],
    ['!!! 🎉', []],
  ])('of %j', (text, expected) => {
    expect(words(text)).toEqual(expected)
  })

  it('keep what makes another word', () => {
    expect(fold('か')).not.toBe(fold('が'))
    expect(fold('ก่')).not.toBe(fold('ก้'))
  })

  it('are ASCII of a bounded length in the index, apart for every account', () => {
    for (const text of ['ok', 'ÄÖ', '東京', 'щ'.repeat(500), 'x'.repeat(500), '𠮷野'])
      for (const term of words(text)) {
        const stored = indexed(tagOf('one'), term)
        expect(stored).toMatch(/^z[a-z0-9]{3}[a-zA-Z0-9]+$/)
        expect(stored.length).toBeLessThanOrEqual(84)
        expect(stored).not.toBe(indexed(tagOf('two'), term))
      }
  })

  it('end, however long the text is', () => {
    expect(termsOf('a '.repeat(100_000)).length).toBe(4_000)
    expect(termsOf('東'.repeat(100_000)).length).toBe(4_000)
  })
})

it('phone numbers are one in any writing', () => {
  const stored = phoneKey('4915112345678') ?? ''
  for (const text of [
    '+49 151 12345678',
    '0049 151 1234-5678',
    '+49 (0)151/12345678',
    '0151 12345678',
    '１５１ 12345678',
  ])
    expect(stored.startsWith(phoneKey(text) ?? '?')).toBe(true)
  for (const text of ['12345', 'call 0151 12345678', '1'.repeat(20), '']) expect(phoneKey(text)).toBeUndefined()
  expect(emailKey(' Ana@Harbour.Example ')).toBe('ana@harbour.example')
})

describe('a query', () => {
  it('is words, phrases, exclusions and operators', () => {
    const query = parseSearch('refund "blue coat" -cancelled from:"Chloé M" channel:whatsapp label:vip has:images is:open before:2026-03 after:2025-12-31 assignee:me') // prettier-ignore
    expect(query.wanted.map(({ terms, isPrefix, isExcluded }) => [terms.map(({ text }) => text).join(' '), isPrefix, isExcluded])).toEqual([['refund', true, false], ['blue coat', false, false], ['cancelled', true, true]]) // prettier-ignore
    expect(query).toMatchObject({ from: ['Chloé M'], channels: ['whatsapp'], labels: ['vip'], has: ['image'], is: ['open'], assignees: ['me'], notes: [], words: 'refund blue coat' }) // prettier-ignore
    expect(query.before?.toISOString()).toBe('2026-03-01T00:00:00.000Z')
    expect(query.after?.toISOString()).toBe('2026-01-01T00:00:00.000Z')
  })

  it.each([
    ['is:sleeping', ['taken_as_words'], ['is sleeping']],
    ['before:yesterday', ['taken_as_words'], ['before yesterday']],
    ['before:2026-02-31', ['taken_as_words'], ['before 2026 02 31']],
    ['from:', ['taken_as_words'], ['from']],
    ['"open quote', ['quote_not_closed'], ['open quote']],
    ['AB-1234/x', [], ['ab 1234 x']],
    ['12:30', [], ['12 30']],
    ['https://x.example/a?b=c', [], ['https x example a b c']],
    ['猫', [], ['猫']],
    ['東京', [], ['東京']],
    ['+a* (b) ~c <d >e @distance', [], ['a', 'b', 'c', 'd', 'e', 'distance']],
  ])('%s: what is broken is words, and is told', (text, notes, wanted) => {
    const query = parseSearch(text)
    expect(query.notes.map(({ code }) => code)).toEqual(notes)
    expect(query.wanted.map(({ terms }) => terms.map((term) => term.text).join(' '))).toEqual(wanted)
  })

  it('never fails and never grows', () => {
    for (const text of [
      '"'.repeat(3_000),
      ':'.repeat(2_000),
      '-'.repeat(2_000),
      'a '.repeat(2_000),
      'from:a '.repeat(500),
      '\u0000\ud800',
      "' or 1=1 --",
      '('.repeat(999),
    ]) {
      // prettier-ignore
      const query = parseSearch(text)
      expect(query.wanted.length).toBeLessThanOrEqual(24)
      expect(query.from.length).toBeLessThanOrEqual(20)
    }
  })
})

describe('what is shown', () => {
  const marked = (text: string, query: string) =>
    spansOf(text, parseSearch(query).wanted).map(({ start, end }) => text.slice(start, end))

  it.each([
    ['Ihre Rechnungen vom Müller', 'rechnung muller', ['Rechnungen', 'Müller']],
    ['明日は東京都庁へ', '東京都', ['東京都']],
    ['猫と犬', '猫', ['猫']],
    ['the blue coat, the coat blue', '"blue coat"', ['blue coat']],
    ['anything', '-anything', []],
  ])('%j for %j', (text, query, expected) => {
    expect(marked(text, query)).toEqual(expected)
  })

  it('is a passage around the first place', () => {
    const text = `${'word '.repeat(200)}needle ${'word '.repeat(200)}`
    const { text: shown, highlights } = passageOf(text, parseSearch('needle').wanted)
    expect(shown.length).toBeLessThan(250)
    expect(highlights.map(({ start, end }) => shown.slice(start, end))).toEqual(['needle'])
  })
})
