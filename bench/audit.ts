import { rmSync } from 'node:fs';
import { verifyAudit } from '../src/audit/verify.ts';
import { facts, openTestAudit, signer, tempDir } from '../test/audit/support/audit-kit.ts';

/** What one audit record costs in processor time, under each durability, and what verifying costs. Loopback and disk only. */
const records = 50_000;
const rounds = 3;
const turn = 50;

for (let round = 1; round <= rounds; round++) {
  for (const durability of ['checkpoint', 'batch', 'call'] as const) {
    const dir = tempDir();
    const audit = await openTestAudit(dir, { durability });
    const call = facts();
    await audit.record(call);
    const before = process.cpuUsage();
    let inRecord = 0;
    for (let index = 0; index < records; index += turn) {
      const began = performance.now();
      for (let count = 0; count < turn; count++) void audit.record(call);
      inRecord += performance.now() - began;
      await new Promise(setImmediate);
    }
    await audit.close();
    const { user, system } = process.cpuUsage(before);
    const began = performance.now();
    const { status } = await verifyAudit(dir, signer);
    const verifyMs = performance.now() - began;
    rmSync(dir, { recursive: true });
    const figures = {
      round,
      durability,
      recordUs: figure((inRecord * 1_000) / records),
      processorUs: figure((user + system) / records),
      verifyMs: figure(verifyMs),
      status,
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  }
}

function figure(value: number): number {
  return Math.round(value * 100) / 100;
}
