import { test } from 'vitest';
import { expectIsolation } from './isolation/expect-isolation.ts';

test(
  'the second 1,000 random sequences of sign-ins, links, calls, revocations and restarts show nobody anything of another’s (R44)',
  () => expectIsolation(1),
  3_600_000,
);
