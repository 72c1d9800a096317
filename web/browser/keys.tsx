import { Group, Kbd } from '@mantine/core'
import { printKeys } from './keyboard.ts'

/** A key or combination, printed. */
export function Keys({ keys }: { readonly keys: string }) {
  return (
    <Group gap={4} wrap="nowrap" component="span">
      {printKeys(keys).map((key, index) => (
        <Kbd key={index} size="sm">
          {key}
        </Kbd>
      ))}
    </Group>
  )
}
