/** Two contacts side by side, who stays, and what will happen; then it happens, and can be undone. */
import { Button, Group, Modal, Stack, TextInput, UnstyledButton } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ContactCardJson } from '../../presenters/contact.ts'
import { ChannelMark, Person } from '../person.tsx'
import { useSpeech } from '../texts/index.tsx'
import { addressOf } from './contact-parts.tsx'
import { contactQueries, contactsApi } from './contacts-api.ts'
import { useContactAct } from './use-contact-act.ts'
import { useTell } from './use-tell.ts'

export function MergeDialog({
  contact,
  first,
  close,
  merged,
}: {
  readonly contact: ContactCardJson
  /** Who it is proposed to be merged with. */
  readonly first: ContactCardJson | undefined
  readonly close: () => void
  readonly merged: (survivorId: string) => void
}) {
  const { t } = useSpeech()
  const tell = useTell()
  const [other, setOther] = useState(first)
  const [survivorId, setSurvivorId] = useState(contact.id)
  const kept = other !== undefined && survivorId === other.id ? other : contact
  const gone = kept === contact ? other : contact
  const merge = useContactAct(
    () => contactsApi.merge(kept.id, gone?.id ?? ''),
    ({ merged_name, survivor_id }) => {
      tell.done(t('merge.done', { name: merged_name }))
      merged(survivor_id)
    },
  )
  return (
    <Modal
      opened
      size="lg"
      onClose={close}
      title={t('merge.title')}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      <Stack gap="md">
        {other === undefined ? (
          <Pick without={contact.id} pick={setOther} />
        ) : (
          <>
            <fieldset className="merge-sides">
              <legend>{t('merge.survivor')}</legend>
              {[contact, other].map((each) => (
                <Side key={each.id} contact={each} isKept={each.id === kept.id} keep={() => setSurvivorId(each.id)} />
              ))}
            </fieldset>
            <p>{t('merge.will', { kept: kept.name, gone: gone?.name ?? '' })}</p>
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('settings.cancel')}
          </Button>
          {other !== undefined && (
            <Button loading={merge.isPending} onClick={() => merge.mutate(undefined)}>
              {t('merge.do')}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  )
}

function Side({
  contact,
  isKept,
  keep,
}: {
  readonly contact: ContactCardJson
  readonly isKept: boolean
  readonly keep: () => void
}) {
  const { t } = useSpeech()
  return (
    <label className="merge-side" data-kept={isKept || undefined}>
      <input
        type="radio"
        name="survivor"
        checked={isKept}
        onChange={keep}
        aria-label={t('merge.keep', { name: `${contact.name}, ${contact.addresses.map(addressOf).join(', ')}` })}
      />
      <span className="merge-fate">{t(isKept ? 'merge.stays' : 'merge.goes')}</span>
      <Person name={contact.name} id={contact.id} size={40} />
      <bdi className="found-name">{contact.name}</bdi>
      {contact.addresses.map((address) => (
        <span key={address.id} className="card-side">
          <ChannelMark type={address.channel_type} size={16} /> <bdi>{addressOf(address)}</bdi>
        </span>
      ))}
      <span className="card-side">{t('merge.facts', { count: Object.keys(contact.attributes).length })}</span>
    </label>
  )
}

function Pick({ without, pick }: { readonly without: string; readonly pick: (contact: ContactCardJson) => void }) {
  const { t } = useSpeech()
  const [text, setText] = useState('')
  const [q] = useDebouncedValue(text.trim(), 200)
  const found = useInfiniteQuery({ ...contactQueries.list({ q, limit: '10' }), enabled: q !== '' })
  const people = (found.data?.pages[0]?.items ?? []).filter(({ id }) => id !== without)
  return (
    <>
      <TextInput
        label={t('merge.find')}
        placeholder={t('people.find')}
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        data-autofocus
      />
      <ul className="person-list">
        {people.map((contact) => (
          <li key={contact.id}>
            <UnstyledButton className="merge-pick" onClick={() => pick(contact)}>
              <Person name={contact.name} id={contact.id} size={32} />
              <bdi>{contact.name}</bdi>
              <span className="card-side">{contact.addresses.slice(0, 2).map(addressOf).join(' · ')}</span>
            </UnstyledButton>
          </li>
        ))}
      </ul>
      {q !== '' && found.data !== undefined && people.length === 0 && <p className="card-side">{t('people.nobody')}</p>}
    </>
  )
}
