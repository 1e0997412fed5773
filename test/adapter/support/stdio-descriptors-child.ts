import { readdirSync, writeSync } from 'node:fs';
import { childOptions, createTestHost, opened } from './stdio-kit.ts';

/** Starts and ends children, and says how many descriptors are open after the first and after the last. */
const host = createTestHost();
const count = () => readdirSync('/proc/self/fd').length;
async function turn(): Promise<void> {
  const wire = await opened(host, childOptions('plain'));
  await wire.close();
}
await turn();
const first = count();
for (let round = 0; round < 10; round++) await turn();
writeSync(1, JSON.stringify([first, count()]));
await host.close();
process.exit(0);
