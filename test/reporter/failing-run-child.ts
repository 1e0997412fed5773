import { startVitest } from 'vitest/node';
import { FailureList } from '../support/failure-list.ts';

await startVitest('test', [], {
  config: false,
  watch: false,
  pool: 'threads',
  root: import.meta.dirname,
  include: ['failing-tests-child.ts', 'unloadable-tests-child.ts'],
  reporters: [new FailureList((text) => process.stdout.write(text), process.env.TEST_REPORT)],
});
process.exit(0);
