import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readAudit } from '#audit/reader.ts';
import { verifyAudit } from '#audit/verify.ts';
import { openKeyRing } from '#keys/inventory.ts';
import { createSigner, type Signer } from '#keys/signer.ts';
import { startGateway } from '../support/binary.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createIssuer } from '../support/issuer.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitForTool } from '../support/wait-for-tool.ts';
import { callTool } from './modern-request.ts';

const technicalToken = 'technical-token';
const rounds = 6;
const callers = 16;
/** Of the last batch before a kill: 256 records, or what 50 ms bring. */
const batchRecords = 256;

describe.each(['call', 'batch'] as const)('a gateway killed under load, durability %s', (durability) => {
  test(`leaves a chain that verifies, ${rounds} times, and ${durability === 'call' ? 'every answered call in it' : 'at most one batch unwritten'}`, async () => {
    await using folder = await createTempFolder();
    const port = freePort();
    const url = `http://127.0.0.1:${port}/mcp`;
    await using issuer = await createIssuer({ audience: url });
    await using backend = createCapturingBackend({ technicalToken, tools: [{ name: 'x', scope: 's' }] });
    backend.answer('x', () => Response.json({ ok: true }));
    const token = await issuer.mint({ scope: 's' });
    const config = await writeConfig(folder.path, {
      gateway: { url, listen: `127.0.0.1:${port}` },
      auth: { issuers: [{ url: issuer.url }], challenge_scopes: ['s'] },
      backends: { a: { url: backend.url, technical_token: technicalToken } },
      limits: { calls_per_minute: 0 },
      audit: { durability },
    });
    const dir = join(folder.path, 'state', 'audit');

    let missing = 0;
    let answeredInAll = 0;
    for (let round = 0; round < rounds; round++) {
      await using gateway = await startGateway({ args: ['--config', config], cwd: folder.path, port });
      await waitForTool(url, token, 'a_x');
      const answered = await loadUntilKilled(url, token, gateway.pid, 150 + 40 * round);
      await gateway.exited;
      answeredInAll += answered.size;
      const signer = checkpointSigner(folder.path);
      const report = await verifyAudit(dir, signer);
      expect(report.chains.map(({ broken }) => broken)).toEqual(report.chains.map(() => undefined));
      const written = await tracesIn(dir, signer);
      const lost = [...answered].filter((trace) => !written.has(trace)).length;
      expect(lost).toBeLessThanOrEqual(durability === 'call' ? 0 : batchRecords);
      missing += lost;
    }
    expect(answeredInAll).toBeGreaterThan(rounds * callers);
    process.stdout.write(
      `durability ${durability}: ${answeredInAll} answered, ${missing} unwritten in ${rounds} kills\n`,
    );
  }, 60_000);
});

/** Calls from several clients at once; after `ms` the gateway is killed. Back come the trace ids of answered calls. */
async function loadUntilKilled(
  url: string,
  token: string,
  pid: number,
  ms: number,
): Promise<ReadonlySet<string>> {
  const answered = new Set<string>();
  let isKilled = false;
  const caller = async () => {
    while (!isKilled) {
      const trace = crypto.getRandomValues(Buffer.alloc(16)).toString('hex');
      const traceparent = `00-${trace}-0123456789abcdef-01`;
      const answer = await callTool(url, token, 'a_x', { traceparent })
        .then((response) => response.text())
        .catch(() => '');
      if (answer.includes('"content"')) answered.add(trace);
    }
  };
  const callersDone = Promise.all(Array.from({ length: callers }, caller));
  await Bun.sleep(ms);
  process.kill(pid, 'SIGKILL');
  isKilled = true;
  await callersDone;
  return answered;
}

function checkpointSigner(folder: string): Signer {
  const dir = join(folder, 'keys');
  expect(existsSync(dir)).toBe(true);
  const ring = openKeyRing(dir, 'checkpoint', { file: undefined }, 'read');
  if (!ring.ok) throw new Error(`no checkpoint key: ${ring.error.reason}`);
  return createSigner(ring.value);
}

async function tracesIn(dir: string, verifier: Signer): Promise<ReadonlySet<string>> {
  const traces = new Set<string>();
  const filter = {
    user: undefined,
    tool: undefined,
    backend: undefined,
    outcome: undefined,
    since: undefined,
    until: undefined,
  };
  const { signal } = new AbortController();
  for await (const event of readAudit({ dir, filter, last: undefined, follow: false, verifier, signal })) {
    if (event.kind === 'record' && typeof event.record.fields.trace === 'string') {
      traces.add(event.record.fields.trace);
    }
  }
  return traces;
}
