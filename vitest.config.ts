import { defineConfig } from 'vitest/config';
import { FailureList } from './test/support/failure-list.ts';

// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from the default export.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // What only the compiled file can show.
    exclude: [...(process.env.CORTEX_BIN === undefined ? ['test/compiled/**'] : []), 'node_modules/**'],
    reporters: ['default', new FailureList((text) => process.stdout.write(text), process.env.TEST_REPORT)],
    // The tests mostly wait: for sockets, processes and timers.
    maxWorkers: '100%',
    // So long that no load breaks a test; what must be quick is measured by the test itself.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
