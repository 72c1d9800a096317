import { defineConfig } from 'vitest/config'

/**
 * Two projects. `units` share one set of real servers, started once; each file has its own database and key prefix.
 * `clusters` start, kill and restart whole clusters of their own, one file after the other.
 */
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['test/*.test.ts'],
          exclude: ['test/cluster*.test.ts'],
          globalSetup: ['test/services.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'clusters',
          include: ['test/cluster*.test.ts', 'test/chaos/*.test.ts', 'test/browser/*.test.ts'],
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
