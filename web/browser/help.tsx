import { Group, Modal, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useAllActions, type Action } from './keyboard.ts'
import { Keys } from './keys.tsx'
import { useSpeech } from './texts/index.tsx'

const groups: readonly Action['group'][] = ['group.list', 'group.conversation', 'group.go', 'group.general']

/** Every key that works on this screen. */
export function Help({ isOpen, close }: { readonly isOpen: boolean; readonly close: () => void }) {
  const { t } = useSpeech()
  const actions = useAllActions().filter((action) => action.keys)
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={t('help.title')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xl">
        {groups.map((group) => {
          const members = actions.filter((action) => action.group === group)
          return (
            members.length > 0 && (
              <Stack key={group} gap={6}>
                <Title order={3} size="sm" c="dimmed" fw={600}>
                  {t(group)}
                </Title>
                {members.map((action) => (
                  <Group key={action.id} justify="space-between" wrap="nowrap">
                    <Text>{t(action.label)}</Text>
                    <Keys keys={action.keys ?? ''} />
                  </Group>
                ))}
              </Stack>
            )
          )
        })}
      </SimpleGrid>
    </Modal>
  )
}
