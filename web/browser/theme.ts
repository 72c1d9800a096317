import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

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

/** The library's dark greys, a breath bluer: the ground of the dark scheme is slate. */
const dark: MantineColorsTuple = [
  '#e5eaee',
  '#c3ccd3',
  '#a3b0ba',
  '#7d8a94',
  '#3c474e',
  '#2f393f',
  '#1e252a',
  '#171c20',
  '#13181b',
  '#101417',
]

/** Where the library's own greys fall short of 4.5:1. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-text': '#1b252d',
    '--mantine-color-dimmed': '#53616d',
    '--mantine-color-placeholder': '#66747f',
  },
  dark: {
    '--mantine-color-dimmed': '#a3b0ba',
    '--mantine-color-placeholder': '#93a1ab',
    '--mantine-color-error': '#ff9d94',
  },
})

/** Nothing is smaller than 14 px but marks, so `xs` and `sm` are one. */
export const theme = createTheme({
  primaryColor: 'harbour',
  primaryShade: { light: 7, dark: 7 },
  colors: { harbour, dark },
  defaultRadius: 'md',
  fontFamily:
    'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", sans-serif',
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
