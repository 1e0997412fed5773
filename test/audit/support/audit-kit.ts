import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditLog, type AuditOptions, openAuditLog } from '#audit/audit-log.ts';
import { createPseudonyms } from '#audit/pseudonyms.ts';
import type { CallFacts } from '#audit/record.ts';
import { type Clock, systemClock } from '#kernel/clock.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { type Principal, principalKey } from '#kernel/principal.ts';
import { Secret } from '#kernel/secret.ts';
import { type KeyRing, parseKeyRing } from '#keys/key-ring.ts';
import { createSigner } from '#keys/signer.ts';
import { openSqliteStore } from '#store/sqlite.ts';

export function ringOf(...fills: number[]): KeyRing {
  const ring = parseKeyRing(fills.map((fill) => Buffer.alloc(32, fill).toString('hex')).join(','));
  if (!ring.ok) throw new Error(ring.error);
  return ring.value;
}

export const signer = createSigner(ringOf(1));

export function tempDir(): string {
  return mkdtempSync(join(tmpdir(), 'cortex-audit-'));
}

/** A clock the test moves. */
export function handClock(
  start = Date.UTC(2026, 2, 4, 10),
): Clock & { set(time: number): void; add(ms: number): void } {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now,
    set: (time) => {
      now = time;
    },
    add: (ms) => {
      now += ms;
    },
  };
}

export function recordingLog(): Log & {
  readonly events: { event: string; fields: Record<string, unknown> }[];
} {
  const events: { event: string; fields: Record<string, unknown> }[] = [];
  const note = (event: string, fields?: object) => void events.push({ event, fields: { ...fields } });
  return { events, debug: note, info: note, warn: note, error: note };
}

export async function openTestAudit(dir: string, options: Partial<AuditOptions> = {}): Promise<AuditLog> {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLog;
  return openAuditLog({
    dir,
    durability: 'batch',
    onFailure: 'deny-writes',
    rotateBytes: 64 * 1024 * 1024,
    retentionMs: 365 * 24 * 3_600_000,
    signer,
    pseudonyms: createPseudonyms({ keys: ringOf(2), store: openSqliteStore(':memory:'), clock, log }),
    clock,
    log,
    copy: undefined,
    ...options,
  });
}

export function principal(subject = 'u1'): Principal {
  return {
    kind: 'user',
    issuer: 'https://auth.example.com',
    subject,
    key: principalKey('https://auth.example.com', subject),
    clientId: 'claude',
    tokenScopes: ['mcp:notes:read'],
    scopes: new Set(['mcp:notes:read']),
    scopeKey: 'mcp:notes:read',
    plan: 'free',
    email: 'person@example.com',
    role: undefined,
    pool: undefined,
    tokenId: 'jti-1',
    sessionId: undefined,
    grantId: undefined,
    audience: ['https://mcp.example.com/mcp'],
    issuedAt: 1,
    expiresAt: 2,
    token: new Secret('eyJ.secret.token'),
    tokenKind: 'jwt',
  };
}

export function facts(over: Partial<CallFacts> = {}): CallFacts {
  return {
    principal: principal(),
    era: 'modern',
    method: 'tools/call',
    agent: 'claude-code/2',
    tool: 'notes_list',
    backend: 'notes',
    backends: ['notes'],
    scopes: ['mcp:notes:read'],
    mode: 'propagate',
    outcome: 'ok',
    code: 'ok',
    latencyMs: 1.2345,
    requestBytes: 120,
    responseBytes: 340,
    listBytes: undefined,
    params: '{"name":"notes_list","arguments":{"q":"rent"}}',
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    ...over,
  };
}
