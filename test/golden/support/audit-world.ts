import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPseudonyms } from '#audit/pseudonyms.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { keptAnchors } from '../../audit/support/anchor-kit.ts';
import { facts, handClock, openTestAudit, principal, ringOf, signer } from '../../audit/support/audit-kit.ts';
import { writeConfig } from '../../support/config-file.ts';
import type { MakeWorld } from './world.ts';

/** An audit of some calls; broken where somebody has edited a record. No gateway runs. */
export function auditWorld(isBroken: boolean): MakeWorld {
  return async (cwd) => {
    const dir = join(cwd, 'state', 'audit');
    for (const folder of ['keys', 'state']) await mkdir(join(cwd, folder), { mode: 0o700 });
    const keys = { checkpoint: 1, audit: 2 };
    for (const [name, fill] of Object.entries(keys)) {
      const text = ringOf(fill).newest.secret.export().toString('base64url');
      await writeFile(join(cwd, 'keys', `${name}.key`), text, { mode: 0o600 });
    }
    await writeConfig(cwd, {
      gateway: { url: 'http://127.0.0.1:3213/mcp' },
      auth: { issuers: [{ url: 'https://auth.example.com' }] },
      plans: { free: ['notes:read'] },
      backends: { notes: { url: 'http://127.0.0.1:4820', technical_token: 's3cret' } },
    });
    const store = openSqliteStore(join(cwd, 'state', 'cortex.db'));
    const pseudonyms = createPseudonyms({ keys: ringOf(2), store, clock: systemClock, log: silentLog });
    const { anchors, lines } = keptAnchors();
    const clock = handClock();
    const audit = await openTestAudit(dir, { pseudonyms, anchors, clock });
    const person = principal('ada');
    for (let call = 1; call <= 10; call++) {
      clock.add(1_000);
      await audit.record(facts({ latencyMs: call * 10, principal: person }));
    }
    await audit.record(
      facts({
        tool: 'pay',
        backend: 'billing',
        outcome: 'refused',
        code: 'scope_missing',
        principal: person,
      }),
    );
    await audit.record(
      facts({ tool: 'x\u001b[2J\n|=y', outcome: 'error', code: 'timeout', principal: person }),
    );
    await audit.record(
      facts({
        method: 'tools/list',
        tool: undefined,
        backend: undefined,
        listBytes: 4_000,
        principal: person,
      }),
    );
    const ada = await pseudonyms.of(person);
    await audit.close();
    await store.close();
    await writeFile(join(cwd, 'anchors'), lines.join('\n'));
    const file = (await readdir(dir)).find((name) => name.endsWith('.jsonl')) ?? '';
    if (isBroken) {
      const text = await readFile(join(dir, file), 'utf8');
      await writeFile(join(dir, file), text.replace('"tool":"pay"', '"tool":"pat"'));
    }
    return {
      names: { ada, file, key: signer.publicKeys[0] ?? '', chain: /[0-9a-f]{12}/.exec(file)?.[0] ?? '' },
      [Symbol.asyncDispose]: async () => {},
    };
  };
}
