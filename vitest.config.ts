import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from the default export.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // What only the compiled file can show.
    exclude: [...(process.env.CORTEX_BIN === undefined ? ['test/compiled/**'] : []), 'node_modules/**'],
    // The tests mostly wait: for sockets, processes and timers.
    maxWorkers: '100%',
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
