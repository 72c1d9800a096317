import { createTheme, type MantineColorsTuple } from '@mantine/core'

/** The one accent: deep water. Shade 7 holds 4.5:1 under white, shade 3 over the dark ground. */
const harbour: MantineColorsTuple = [
  '#eaf6f9',
  '#d5eaf0',
  '#a8d5e1',
  '#78bfd2',
  '#52adc4',
  '#3aa1bc',
  '#1f89a6',
  '#0f6d88',
  '#0f5c73',
  '#0a475a',
]

/** Nothing is smaller than 14 px but marks, so `xs` and `sm` are one. */
export const theme = createTheme({
  primaryColor: 'harbour',
  primaryShade: { light: 7, dark: 7 },
  colors: { harbour },
  defaultRadius: 'md',
  fontFamily: 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", sans-serif',
  fontSizes: { xs: '14px', sm: '14px', md: '15px', lg: '17px', xl: '21px' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.4' },
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: {
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true, transitionProps: { duration: 80 } } },
    Menu: { defaultProps: { transitionProps: { duration: 80 } } },
    Modal: { defaultProps: { transitionProps: { duration: 120 } } },
  },
})
