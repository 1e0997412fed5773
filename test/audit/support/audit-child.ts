import { writeSync } from 'node:fs';
import { silentLog } from '#kernel/log.ts';
import { facts, openTestAudit } from './audit-kit.ts';

/** Writes records until it is killed; says each one's number and time when it is acknowledged. */
const [dir = '', durability = '', pace = ''] = process.argv.slice(2);
if (durability !== 'checkpoint' && durability !== 'batch' && durability !== 'call')
  throw new Error('durability?');
const log = { ...silentLog, error: (event: string) => void writeSync(1, `error ${event}\n`) };
const audit = await openTestAudit(dir, { durability, log });

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
