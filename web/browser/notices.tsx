/** Where short messages stand; fetched beside the first data. */
export { Notifications as Notices } from '@mantine/notifications'
