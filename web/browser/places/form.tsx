/** A small form in a dialogue: fields by description, faults beside their fields, the server's refusal above. */
import { Alert, Button, Group, Modal, NativeSelect, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useRef, useState, type SyntheticEvent } from 'react'
import { newKey } from '../api.ts'
import { useSpeech } from '../texts/index.tsx'

export interface Field {
  readonly name: string
  readonly label: string
  readonly hint?: string
  readonly isSecret?: boolean
  readonly isOptional?: boolean
  /** Makes it a choice. */
  readonly options?: readonly { readonly value: string; readonly label: string }[]
}

interface Props {
  readonly title: string
  readonly isOpen: boolean
  readonly close: () => void
  /** Which fields there are may depend on what has been chosen. */
  readonly fields: (values: Readonly<Record<string, string>>) => readonly Field[]
  readonly initial: Readonly<Record<string, string>>
  /** A repeated try of the same form has the same key. */
  readonly save: (values: Readonly<Record<string, string>>, key: string) => Promise<unknown>
}

export function FormDialog({ title, isOpen, close, fields, initial, save }: Props) {
  const { t } = useSpeech()
  return (
    <Modal opened={isOpen} onClose={close} title={title} closeButtonProps={{ 'aria-label': t('help.close') }}>
      <Form fields={fields} initial={initial} save={save} close={close} />
    </Modal>
  )
}

/** The form by itself. @param isClosable whether there is a way out beside saving */
export function Form({
  fields,
  initial,
  save,
  close,
  saveLabel,
  isClosable = true,
  saved = close,
}: Pick<Props, 'fields' | 'initial' | 'save' | 'close'> & {
  readonly saveLabel?: string
  readonly isClosable?: boolean
  /** Called once it is saved; default: `close`. */
  readonly saved?: () => void
}) {
  const { t } = useSpeech()
  const [values, setValues] = useState(initial)
  const [missing, setMissing] = useState<readonly string[]>([])
  const [failure, setFailure] = useState<string>()
  const [isSaving, setSaving] = useState(false)
  const key = useRef('')
  const shown = fields(values)

  const set = (name: string, value: string): void => {
    key.current = ''
    setValues((old) => ({ ...old, [name]: value }))
    setMissing((old) => old.filter((each) => each !== name))
  }
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault()
    const faults = shown.filter((field) => !field.isOptional && !values[field.name]?.trim()).map(({ name }) => name)
    setMissing(faults)
    if (faults.length > 0) return
    key.current ||= newKey()
    setSaving(true)
    setFailure(undefined)
    try {
      await save(Object.fromEntries(shown.map(({ name }) => [name, values[name]?.trim() ?? ''])), key.current)
      saved()
    } catch (error) {
      setFailure(t('channels.not_saved', { reason: error instanceof Error ? error.message : String(error) }))
      setSaving(false)
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <Stack gap="sm">
        {failure && (
          <Alert color="red" variant="light" role="alert">
            {failure}
          </Alert>
        )}
        {shown.map((field) => {
          const shared = {
            label: field.label,
            description: field.hint,
            required: !field.isOptional,
            value: values[field.name] ?? '',
            error: missing.includes(field.name) && t('channels.required'),
            onChange: (event: { currentTarget: { value: string } }) => set(field.name, event.currentTarget.value),
          }
          if (field.options) return <NativeSelect key={field.name} {...shared} data={[...field.options]} />
          if (field.isSecret) return <PasswordInput key={field.name} {...shared} autoComplete="off" />
          return <TextInput key={field.name} {...shared} autoComplete="off" spellCheck={false} />
        })}
        <Group justify="flex-end" mt="xs">
          {isClosable && (
            <Button variant="default" onClick={close}>
              {t('channels.cancel')}
            </Button>
          )}
          <Button type="submit" loading={isSaving}>
            {saveLabel ?? t('channels.save')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
