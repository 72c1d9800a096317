import js from '@eslint/js'
import reactHooks from 'eslint-plugin-react-hooks'
import typescript from 'typescript-eslint'

/** One door per library: only the named files may import these. */
const doors = {
  express: ['web/**'],
  'express-session': ['web/**', 'storage/sessions.ts'],
  bullmq: ['backend/queue.ts'],
  rhea: ['messaging/broker/**'],
  mysql2: ['storage/pool.ts'],
  'mysql2/promise': ['storage/pool.ts'],
  sharp: ['storage/images.ts'],
  pino: ['infra/logger.ts'],
  undici: ['infra/outside.ts'],
  'prom-client': ['infra/metrics.ts'],
}

export default typescript.config(
  {
    ignores: [
      'node_modules',
      'web/browser/dist',
      '.parley',
      '**/*.mjs',
      '*.config.{js,ts}',
      'messaging/sandbox/phone/**',
    ],
  },
  js.configs.recommended,
  ...typescript.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: true },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'The environment is read in infra/config.ts alone.' },
      ],
    },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    ignores: ['test/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: Object.keys(doors).map((name) => ({
            name,
            message: 'This library has one door; see infra/docs/CONTRIBUTING.md.',
          })),
        },
      ],
    },
  },
  ...Object.entries(doors).flatMap(([name, files]) => [
    {
      files,
      rules: {
        'no-restricted-imports': [
          'error',
          {
            paths: Object.entries(doors)
              .filter(([other, places]) => other !== name && !places.some((place) => files.includes(place)))
              .map(([other]) => ({
                name: other,
                message: 'This library has one door; see infra/docs/CONTRIBUTING.md.',
              })),
          },
        ],
      },
    },
  ]),
  {
    files: ['web/browser/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks },
    rules: reactHooks.configs.recommended.rules,
  },
  {
    files: ['infra/config.ts', 'infra/bin/**', 'infra/cluster/**', 'test/**', '**/*.config.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['test/**'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', '@typescript-eslint/no-unsafe-assignment': 'off' },
  },
)
