/** The second factor: set up with an app, removed, and its recovery codes. */
import {
  Alert,
  Badge,
  Button,
  Code,
  CopyButton,
  Group,
  Modal,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type SyntheticEvent } from 'react'
import { renderSVG } from 'uqr'
import { api } from '../api.ts'
import { ConfirmPassword } from '../confirm-password.tsx'
import { keys } from '../queries.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { peopleApi } from './people-api.ts'
import { Dialog, useAct } from './people-parts.tsx'

export function SecondFactor() {
  const { t } = useSpeech()
  const { totp } = useSession()
  const client = useQueryClient()
  const [isSettingUp, setSettingUp] = useState(false)
  const [isRemoving, setRemoving] = useState(false)
  const [codes, setCodes] = useState<readonly string[]>()
  const again = () => client.invalidateQueries({ queryKey: keys.session })
  const remove = useAct(peopleApi.removeTotp, () => {
    setRemoving(false)
    void again()
  })
  const renew = useAct(peopleApi.newCodes, (made) => setCodes(made.recovery_codes))
  return (
    <section aria-label={t('totp.title')}>
      <header className="place-head place-part">
        <div>
          <Group gap="xs">
            <Title order={2} size="h4">
              {t('totp.title')}
            </Title>
            <Badge variant="light" color={totp.is_set_up ? 'green' : 'gray'} tt="none">
              {t(totp.is_set_up ? 'totp.on' : 'totp.off')}
            </Badge>
          </Group>
          <Text c="dimmed">{t('totp.lead')}</Text>
        </div>
        {totp.is_set_up ? (
          <Group gap="xs">
            <Button variant="default" loading={renew.isPending} onClick={() => renew.mutate(undefined)}>
              {t('totp.codes_new')}
            </Button>
            <Button variant="default" onClick={() => setRemoving(true)}>
              {t('totp.remove')}
            </Button>
          </Group>
        ) : (
          <Button variant="default" onClick={() => setSettingUp(true)}>
            {t('totp.begin')}
          </Button>
        )}
      </header>
      <Modal
        opened={isSettingUp}
        onClose={() => setSettingUp(false)}
        title={t('totp.title')}
        closeOnClickOutside={false}
        closeButtonProps={{ 'aria-label': t('help.close') }}
      >
        <SetUp
          done={(made) => {
            setSettingUp(false)
            setCodes(made)
          }}
        />
      </Modal>
      <Modal opened={codes !== undefined} onClose={() => {}} withCloseButton={false} title={t('totp.codes_title')}>
        <RecoveryCodes
          codes={codes ?? []}
          done={() => {
            setCodes(undefined)
            void again()
          }}
        />
      </Modal>
      <Dialog
        title={t('totp.remove_title')}
        isOpen={isRemoving}
        close={() => setRemoving(false)}
        save={() => remove.mutate(undefined)}
        saveLabel="totp.remove"
        isSaving={remove.isPending}
        error={null}
        isDangerous
      >
        <Text>{t('totp.remove_lead')}</Text>
      </Dialog>
    </section>
  )
}

/** The whole page of someone whose role needs a second factor first. */
export function MustSetUp() {
  const { t } = useSpeech()
  const client = useQueryClient()
  const [codes, setCodes] = useState<readonly string[]>()
  const signOut = async (): Promise<void> => {
    await api.signOut()
    client.setQueryData(keys.session, null)
  }
  return (
    <main className="place must">
      <ConfirmPassword />
      <div className="place-inner place-narrow">
        <Title order={1} size="h2">
          {t(codes === undefined ? 'totp.needed_title' : 'totp.codes_title')}
        </Title>
        {codes === undefined ? (
          <>
            <Text c="dimmed" mb="md">
              {t('totp.needed_lead')}
            </Text>
            <SetUp done={setCodes} />
          </>
        ) : (
          <RecoveryCodes codes={codes} done={() => void client.invalidateQueries({ queryKey: keys.session })} />
        )}
        <Button mt="xl" variant="subtle" color="gray" onClick={() => void signOut()}>
          {t('account.sign_out')}
        </Button>
      </div>
    </main>
  )
}

function SetUp({ done }: { readonly done: (codes: readonly string[]) => void }) {
  const { t } = useSpeech()
  const [code, setCode] = useState('')
  const begin = useMutation({ mutationFn: peopleApi.beginTotp })
  const confirm = useMutation({
    mutationFn: () => peopleApi.confirmTotp(code),
    onSuccess: (made) => done(made.recovery_codes),
  })
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault()
    confirm.mutate()
  }
  const fault = begin.error ?? confirm.error
  return (
    <Stack gap="md">
      {fault && (
        <Alert color="red" variant="light" role="alert">
          {fault.message}
        </Alert>
      )}
      {begin.data ? (
        <form onSubmit={submit} noValidate>
          <Stack gap="md">
            <Text fw={600}>{t('totp.scan')}</Text>
            <img
              className="qr"
              alt={t('totp.scan')}
              src={`data:image/svg+xml,${encodeURIComponent(renderSVG(begin.data.url, { border: 2 }))}`}
            />
            <div>
              <Text>{t('totp.by_hand')}</Text>
              <Code className="secret">{begin.data.secret.replace(/.{4}/g, '$& ').trim()}</Code>
            </div>
            <TextInput
              label={t('totp.then')}
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
              inputMode="numeric"
              autoComplete="one-time-code"
              maxLength={10}
              data-autofocus
            />
            <Group justify="flex-end">
              <Button type="submit" loading={confirm.isPending} disabled={code.trim().length < 6}>
                {t('totp.confirm')}
              </Button>
            </Group>
          </Stack>
        </form>
      ) : (
        <Group>
          <Button loading={begin.isPending} onClick={() => begin.mutate()}>
            {t('totp.begin')}
          </Button>
        </Group>
      )}
    </Stack>
  )
}

function RecoveryCodes({ codes, done }: { readonly codes: readonly string[]; readonly done: () => void }) {
  const { t } = useSpeech()
  return (
    <Stack gap="sm">
      <Text>{t('totp.codes_lead')}</Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing={6} component="ul" className="codes">
        {codes.map((code) => (
          <li key={code}>
            <Code>{code}</Code>
          </li>
        ))}
      </SimpleGrid>
      <Group justify="flex-end">
        <CopyButton value={codes.join('\n')}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {t(copied ? 'totp.copied' : 'totp.copy')}
            </Button>
          )}
        </CopyButton>
        <Button onClick={done}>{t('totp.kept')}</Button>
      </Group>
    </Stack>
  )
}
