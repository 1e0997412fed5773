import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningGateway } from '../../support/running-gateway.ts';

const dayMs = 86_400_000;

/**
 * Makes the audit of a gateway fail as a lost disk does: its folder is gone when the next day's file is due. Gives
 * claims that are good on that day, and how the folder comes back.
 */
export async function breakAudit(running: RunningGateway): Promise<{
  readonly claims: { readonly iat: number; readonly exp: number };
  readonly mend: () => Promise<void>;
}> {
  const dir = join(running.folder.path, 'state', 'audit');
  const aside = `${dir}-aside`;
  await rename(dir, aside);
  await writeFile(dir, 'no folder');
  running.clock.advance(dayMs);
  const iat = Math.floor(running.clock.now() / 1000);
  const claims = { iat, exp: iat + 3600 };
  const caller = await running.caller({ scope: 'mcp:test', ...claims });
  for (let tries = 0; !running.logged.some(({ event }) => event === 'audit.write_failed'); tries++) {
    if (tries > 100) throw new Error('the audit does not fail');
    await caller.modern('tools/list');
    await Bun.sleep(20);
  }
  return {
    claims,
    async mend() {
      await rename(dir, `${dir}-file`);
      await rename(aside, dir);
    },
  };
}
