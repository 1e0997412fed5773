import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAnchors } from '#audit/anchor-ledger.ts';
import { createSyslogSink } from '#audit/syslog-sink.ts';
import { verifyAudit } from '#audit/verify.ts';
import { createMessageSocket, type MessageTarget } from '#outbound/message-socket.ts';
import { freePort } from '../support/free-port.ts';
import { anchorsOver } from './support/anchor-kit.ts';
import { facts, openTestAudit, signer, tempDir } from './support/audit-kit.ts';

const found = spawnSync('rsyslogd', ['-v']);
const reason = found.error?.message;
if (reason !== undefined) console.log(`no rsyslogd: ${reason}`);

test.skipIf(reason !== undefined)(
  'a real rsyslogd takes anchors over UDP, TCP and a socket, and what it writes vouches for the files',
  async () => {
    const folder = tempDir();
    const [udp, tcp] = [freePort(), freePort()];
    const path = join(folder, 'syslog.sock');
    const file = (kind: string) => join(folder, `${kind}.log`);
    // One form as syslog files have it, with head and time; one of the message alone.
    const config = [
      `global(workDirectory="${folder}")`,
      'module(load="imudp")',
      'module(load="imptcp")',
      'template(name="bare" type="string" string="%msg%\\n")',
      `input(type="imudp" port="${udp}" address="127.0.0.1" ruleset="udp")`,
      `input(type="imptcp" port="${tcp}" address="127.0.0.1" ruleset="tcp")`,
      `input(type="imptcp" path="${path}" unlink="on" ruleset="unix")`,
      `ruleset(name="udp") { action(type="omfile" file="${file('udp')}" template="RSYSLOG_FileFormat") }`,
      `ruleset(name="tcp") { action(type="omfile" file="${file('tcp')}" template="RSYSLOG_SyslogProtocol23Format") }`,
      `ruleset(name="unix") { action(type="omfile" file="${file('unix')}" template="bare") }`,
    ];
    await Bun.write(join(folder, 'rsyslog.conf'), `${config.join('\n')}\n`);
    const command = ['rsyslogd', '-n', '-f', join(folder, 'rsyslog.conf'), '-i', join(folder, 'pid')];
    const collector = Bun.spawn(command, { stdout: 'ignore', stderr: 'inherit' });
    try {
      for (let waited = 0; !existsSync(path) && waited < 5_000; waited += 50) await Bun.sleep(50);
      const targets: readonly MessageTarget[] = [
        { kind: 'udp', host: '127.0.0.1', port: udp },
        { kind: 'tcp', host: '127.0.0.1', port: tcp },
        { kind: 'unix', path },
      ];
      const sinks = targets.map((target) => createSyslogSink(createMessageSocket(target)));
      const dir = join(folder, 'audit');
      const audit = await openTestAudit(dir, { anchors: anchorsOver(sinks) });
      for (let index = 0; index < 3_500; index++) audit.record(facts());
      await audit.close();
      for (const { kind } of targets) {
        const lines = () =>
          existsSync(file(kind)) ? readFileSync(file(kind), 'utf8').split('\n').length - 1 : 0;
        for (let waited = 0; lines() < 4 && waited < 5_000; waited += 50) await Bun.sleep(50);
        const ledger = await readAnchors([file(kind)], signer);
        expect({ kind, count: ledger.count, problems: ledger.problems }).toEqual({
          kind,
          count: 4,
          problems: [],
        });
        expect(await verifyAudit(dir, signer, ledger)).toMatchObject({ status: 'intact' });
      }
    } finally {
      collector.kill();
      await collector.exited;
      rmSync(folder, { recursive: true, force: true });
    }
  },
  30_000,
);
