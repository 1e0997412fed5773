import { appendFileSync, writeSync } from 'node:fs';
import { silentLog } from '#kernel/log.ts';
import { ok } from '#kernel/result.ts';
import { anchorsOver } from './anchor-kit.ts';
import { facts, openTestAudit } from './audit-kit.ts';

/** Writes records until it is killed; says each one's number and time when it is acknowledged. */
const [dir = '', durability = '', pace = '', anchorFile = ''] = process.argv.slice(2);
if (durability !== 'checkpoint' && durability !== 'batch' && durability !== 'call')
  throw new Error('durability?');
const log = { ...silentLog, error: (event: string) => void writeSync(1, `error ${event}\n`) };
const anchors = anchorsOver([
  {
    name: 'webhook',
    async send(lines) {
      if (anchorFile !== '') appendFileSync(anchorFile, lines.map((line) => `${line}\n`).join(''));
      return ok(undefined);
    },
    close() {},
  },
]);
const audit = await openTestAudit(dir, { durability, log, anchors });

if (pace === 'one') {
  writeSync(1, `answer ${await audit.record(facts())}\n`);
  process.exit(0);
}
const say = (number: number) => writeSync(1, `ok ${number} ${Date.now()}\n`);
for (let number = 0; ; ) {
  for (let turn = 0; turn < 20; turn++) {
    number += 1;
    const mine = number;
    const kept = audit.record(facts({ tool: `n${mine}` }));
    if (typeof kept === 'boolean') say(mine);
    else void kept.then((isKept) => isKept && say(mine));
  }
  await Bun.sleep(pace === 'slow' ? 20 : 1);
  if (!audit.admits(false)) writeSync(1, 'closed\n');
}
