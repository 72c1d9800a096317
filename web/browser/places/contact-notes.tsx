/** What the team notes about a contact. */
import { ActionIcon, Button, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { contactQueries, contactsApi } from './contacts-api.ts'
import { useContactAct } from './use-contact-act.ts'

export function ContactNotes({ contactId }: { readonly contactId: string }) {
  const { t, times } = useSpeech()
  const session = useSession()
  const notes = useQuery(contactQueries.notes(contactId)).data?.items ?? []
  const [text, setText] = useState('')
  const add = useContactAct(
    () => contactsApi.addNote(contactId, text.trim()),
    () => setText(''),
  )
  const remove = useContactAct((id: string) => contactsApi.removeNote(contactId, id))
  const mayEdit = session.permissions.includes('contacts.edit')
  if (!mayEdit && notes.length === 0) return null
  return (
    <section>
      <h2 className="found-title">{t('person.notes')}</h2>
      <ul className="person-notes">
        {notes.map((note) => (
          <li key={note.id}>
            <div className="passage-who">
              {note.author.name} · {times.moment(note.created_at)}
            </div>
            <div className="timeline-text" dir="auto">
              {note.text}
            </div>
            {note.author.id === session.user.id && (
              <ActionIcon
                variant="subtle"
                color="gray"
                className="note-remove"
                aria-label={t('person.remove_note', { when: times.moment(note.created_at) })}
                onClick={() => remove.mutate(note.id)}
              >
                <IconTrash size={16} />
              </ActionIcon>
            )}
          </li>
        ))}
      </ul>
      {mayEdit && (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (text.trim() !== '') add.mutate(undefined)
          }}
        >
          <Textarea
            autosize
            minRows={2}
            maxRows={8}
            maxLength={5_000}
            aria-label={t('person.new_note')}
            placeholder={t('person.new_note')}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Button type="submit" size="compact-sm" mt={6} variant="default" loading={add.isPending}>
            {t('person.add_note')}
          </Button>
        </form>
      )}
    </section>
  )
}
