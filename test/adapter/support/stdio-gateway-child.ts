import { writeSync } from 'node:fs';
import { aboutChild, childOptions, createTestHost, opened } from './stdio-kit.ts';

/** What of a gateway keeps children: says their process ids, and runs until it is killed. */
const host = createTestHost();
const forking = await opened(host, childOptions('forks'));
const stubborn = await opened(host, childOptions('stubborn'));
const [{ pid, pids }, other] = await Promise.all([aboutChild(forking), aboutChild(stubborn)]);
writeSync(1, `${JSON.stringify([pid, ...pids, other.pid])}\n`);
setInterval(() => {}, 1_000);
