/** What is kept about a contact: a field for each attribute that the account has defined. */
import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { AttributeJson, ContactDetailJson } from '../../presenters/contact.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { contactQueries, contactsApi } from './contacts-api.ts'
import { Dialog } from './people-parts.tsx'
import { useContactAct } from './use-contact-act.ts'

type Value = string | number | boolean | null

export function ContactFacts({ contact }: { readonly contact: ContactDetailJson }) {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const attributes = useQuery(contactQueries.attributes).data?.items
  const [isChanging, setChanging] = useState(false)
  if (attributes === undefined) return null
  const shown = (value: string | number | boolean | undefined): string =>
    typeof value === 'boolean' ? t(value ? 'person.yes' : 'person.no') : String(value ?? '')
  return (
    <section>
      <h2 className="found-title">{t('person.facts')}</h2>
      {attributes.length === 0 ? (
        <p className="card-side">{t('person.no_facts')}</p>
      ) : (
        <dl className="person-facts">
          {attributes.map(({ key, name }) => (
            <div key={key}>
              <dt>{name}</dt>
              <dd>
                {contact.attributes[key] === undefined ? (
                  <span className="card-side">{t('person.not_set')}</span>
                ) : (
                  <bdi>{shown(contact.attributes[key])}</bdi>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {attributes.length > 0 && permissions.includes('contacts.edit') && (
        <Button size="compact-sm" variant="default" onClick={() => setChanging(true)}>
          {t('person.change_facts')}
        </Button>
      )}
      {isChanging && <ChangeFacts contact={contact} attributes={attributes} close={() => setChanging(false)} />}
    </section>
  )
}

function ChangeFacts({
  contact,
  attributes,
  close,
}: {
  readonly contact: ContactDetailJson
  readonly attributes: readonly AttributeJson[]
  readonly close: () => void
}) {
  const { t } = useSpeech()
  const [values, setValues] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(attributes.map(({ key }) => [key, String(contact.attributes[key] ?? '')])),
  )
  const save = useContactAct(
    () =>
      contactsApi.change(contact.id, {
        attributes: Object.fromEntries(attributes.map((each) => [each.key, valueOf(each, values[each.key] ?? '')])),
      }),
    close,
  )
  return (
    <Dialog
      title={t('person.change_facts')}
      isOpen
      close={close}
      save={() => save.mutate(undefined)}
      isSaving={save.isPending}
      error={save.error}
    >
      {attributes.map(({ key, name, type, choices }) => {
        const shared = {
          label: name,
          value: values[key] ?? '',
          onChange: (event: { currentTarget: { value: string } }) => {
            const { value } = event.currentTarget
            setValues((old) => ({ ...old, [key]: value }))
          },
        }
        if (type === 'choice' || type === 'boolean')
          return (
            <NativeSelect
              key={key}
              {...shared}
              data={[
                { value: '', label: t('person.not_set') },
                ...(type === 'choice'
                  ? (choices ?? []).map((choice) => ({ value: choice, label: choice }))
                  : [
                      { value: 'true', label: t('person.yes') },
                      { value: 'false', label: t('person.no') },
                    ]),
              ]}
            />
          )
        return <TextInput key={key} {...shared} type={type === 'text' ? 'text' : type} maxLength={500} step="any" />
      })}
    </Dialog>
  )
}

function valueOf({ type }: AttributeJson, text: string): Value {
  if (text.trim() === '') return null
  if (type === 'number') return Number(text)
  return type === 'boolean' ? text === 'true' : text
}
