import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { createGrantTokens } from '#vault/grant-tokens.ts';
import { refreshAt } from './token-provider.ts';
import { openTestVault, ownerOf } from './vault-kit.ts';

/** One gateway process of several: waits for a word, then lets many callers ask for the same user's token at once. */
const [path = '', url = '', callers = ''] = process.argv.slice(2);
const store = openSqliteStore(path);
const { grants } = await openTestVault(store);
const tokens = createGrantTokens({
  grants,
  refresh: refreshAt(url, systemClock.now),
  revoke: async () => true,
  clock: systemClock,
  schedule: systemSchedule,
  random: Math.random,
  log: silentLog,
});
console.log('ready');
for await (const _line of console) break;
const asked = Array.from({ length: Number(callers) }, () => tokens.token(ownerOf('ada'), 'linear'));
const got = await Promise.all(asked);
console.log(JSON.stringify(got.map((result) => (result.ok ? result.value.reveal() : result.error))));
await grants.close();
await store.close();
process.exit(0);
