import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // A bound for hangs, not for speed: two busy cores are slow.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          include: ['test/**/*.test.ts'],
          exclude: ['test/conformance/**', 'test/oracle/**', 'test/package/**', 'test/foreign/**', 'test/real/**'],
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
      // Other makers' clients against the embedded broker; KAFKAWIRE_FOREIGN=required fails where one cannot be had.
      { test: { name: 'foreign', include: ['test/foreign/**/*.test.ts'], testTimeout: 300_000 } },
      // What only genuine Kafka can show: its listeners, its elections. Each file starts the cluster it needs.
      {
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'package', include: ['test/package/**/*.test.ts'], testTimeout: 300_000 } },
    ],
  },
})
