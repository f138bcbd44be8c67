import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/conformance/**', 'test/oracle/**', 'test/package/**'],
        },
      },
      // One broker, or one Java process, at a time: the files share it.
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
          globalSetup: ['test/brokers/global-setup.ts'],
        },
      },
      { test: { name: 'oracle', include: ['test/oracle/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 300_000 } },
      { test: { name: 'package', include: ['test/package/**/*.test.ts'], testTimeout: 300_000 } },
    ],
  },
})
