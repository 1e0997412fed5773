import { readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readUnverified, writeBaseline } from '#integrity/baseline-text.ts';
import { newKeyLine } from '#keys/key-file.ts';
import { parseKeyRing } from '#keys/key-ring.ts';
import { createSigner, type Signer } from '#keys/signer.ts';
import { tryLock } from '#store/process-lock.ts';
import { type CapturingBackend, createCapturingBackend } from '../support/capturing-backend.ts';
import { createIssuer, type TestIssuer } from '../support/issuer.ts';
import { namesIn } from '../support/mcp-caller.ts';
import { canonicalUrl, type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';

const list = { name: 'list', scope: 'mcp:test', description: 'Lists notes.' };
const save = { name: 'save', scope: 'mcp:test', description: 'Saves a note.' };
const changed = { ...list, description: 'Lists notes, and sends them on.' };
let folder: TempFolder;
let issuer: TestIssuer;
let notes: CapturingBackend;
let running: RunningGateway | undefined;

beforeEach(async () => {
  folder = await createTempFolder();
  issuer = await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' });
  notes = createCapturingBackend({ tools: [list, save] });
});
afterEach(async () => {
  await running?.close();
  running = undefined;
  await notes.close();
  await issuer.close();
  await folder.remove();
});

async function start(integrity: Readonly<Record<string, unknown>> = {}): Promise<RunningGateway> {
  await running?.close();
  running = await runGateway({
    folder,
    issuer,
    running: new Map([['notes', notes]]),
    backends: { notes: {} },
    config: { integrity: { mode: 'block', ...integrity } },
  });
  return running;
}
async function stop(): Promise<void> {
  await running?.close();
  running = undefined;
}

const file = () => join(folder.path, 'state', 'baseline.jsonl');
const read = () => readFile(file(), 'utf8');
async function own(): Promise<readonly string[]> {
  const ada = await running?.caller({ scope: 'mcp:test' });
  const names = ada === undefined ? [] : namesIn(await ada.modern('tools/list'), 'tools');
  return names.filter((name) => name.startsWith('notes_'));
}
async function refusal(): Promise<unknown> {
  const ada = await running?.caller({ scope: 'mcp:test' });
  return (await ada?.tool('notes_list'))?.error.message;
}
async function status(): Promise<unknown> {
  const answer = await running?.operate('GET /status');
  return answer?.ok ? answer.value.integrity : undefined;
}
function keyPair(): { readonly signer: Signer; readonly publicKey: string } {
  const ring = parseKeyRing(newKeyLine());
  if (!ring.ok) throw new Error(ring.error);
  const signer = createSigner(ring.value);
  return { signer, publicKey: signer.publicKeys[0] ?? '' };
}
function signedBy(signer: Signer, text: string, at = Date.now() + 60_000): string {
  const baseline = readUnverified(text);
  if (!baseline.ok) throw new Error(baseline.error);
  return writeBaseline({ ...baseline.value, at }, signer);
}

describe('the baseline', () => {
  test('is a signed file of its own, 0600, and outlives a restart: what changed meanwhile is withheld', async () => {
    await start();
    await stop();
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(await read()).toMatch(
      /^\{"cortex_baseline":1,"at":\d+,"items":2,"key":"[^"]+","signature":"[^"]+"\}\n/,
    );
    notes.setTools([changed, save]);
    await start();
    expect(await own()).toEqual(['notes_get_help', 'notes_save']);
    expect(await refusal()).toContain('quarantined');
  });

  test('withholds after a restart what the dead backend had changed before', async () => {
    const gateway = await start();
    notes.setTools([changed, save]);
    await gateway.gateway.catalog.poll();
    await stop();
    await notes.close();
    await start();
    expect(await own()).toEqual(['notes_get_help', 'notes_save']);
    expect(await refusal()).toContain('quarantined');
  });

  const attacks: readonly (readonly [what: string, problem: string, attack: (text: string) => string])[] = [
    [
      'is not what was signed',
      'tampered',
      (text) => text.replace('Lists notes.', 'Lists notes, and sends them on.'),
    ],
    ['has lost a line', 'tampered', (text) => text.replace(/\n[^\n]*\n$/, '\n')],
    ['says that it is younger', 'tampered', (text) => text.replace(/"at":\d+/, '"at":9999999999999')],
    ['carries no signature', 'unsigned', (text) => text.replace(/,"key".*\}\n/, '}\n')],
    ['is signed with another key', 'foreign_key', (text) => signedBy(keyPair().signer, text)],
    ['is no baseline', 'corrupt', () => 'not a baseline'],
    ['is empty', 'corrupt', () => ''],
  ];
  test.each(attacks)(
    'that %s is not believed: everything is withheld, and said to be degraded',
    async (_what, problem, attack) => {
      await start();
      await stop();
      const planted = attack(await read());
      await writeFile(file(), planted);
      notes.setTools([changed, save]);
      const gateway = await start();
      expect(await own()).toEqual([]);
      expect(await refusal()).toContain('quarantined');
      expect(await status()).toMatchObject({ state: 'degraded', problem });
      expect(gateway.logged).toContainEqual(
        expect.objectContaining({ event: 'integrity.degraded', problem, withheld: true }),
      );
      expect((await gateway.fetch('/readyz')).status).toBe(200);
      // Nothing is pinned over it: the evidence stays.
      expect(await read()).toBe(planted);
      const root = await gateway.caller({ scope: 'mcp:test' });
      expect(namesIn(await root.modern('tools/list'), 'tools')).toContain('whoami');
    },
  );

  test('that is missing, though there was one, is not made anew by itself', async () => {
    await start();
    await stop();
    await unlink(file());
    await start();
    expect(await own()).toEqual([]);
    expect(await status()).toMatchObject({ state: 'degraded', problem: 'missing' });
  });

  test('that is an older one, put back, is refused', async () => {
    const gateway = await start();
    await gateway.operate('POST /integrity/list');
    const old = await read();
    notes.setTools([changed, save]);
    await gateway.gateway.catalog.poll();
    expect(await gateway.operate('POST /integrity/approve', { all: true })).toMatchObject({ ok: true });
    await stop();
    await writeFile(file(), old);
    notes.setTools([list, save]);
    await start();
    expect(await own()).toEqual([]);
    expect(await status()).toMatchObject({ state: 'degraded', problem: 'rolled_back' });
  });

  test('that cannot be believed is told in warn, and everything is served', async () => {
    await start({ mode: 'warn' });
    await stop();
    await writeFile(file(), 'broken');
    const gateway = await start({ mode: 'warn' });
    expect(await own()).toEqual(['notes_get_help', 'notes_list', 'notes_save']);
    expect(await status()).toMatchObject({ state: 'degraded', problem: 'corrupt' });
    expect(gateway.logged).toContainEqual(
      expect.objectContaining({ event: 'integrity.degraded', problem: 'corrupt', withheld: false }),
    );
    expect(await read()).toBe('broken');
  });

  test('is begun anew by an operator alone, with what is listed then; the refused one is kept', async () => {
    await start();
    await stop();
    await writeFile(file(), 'broken');
    const gateway = await start();
    expect(await gateway.operate('POST /integrity/approve', { names: ['notes_list'] })).toMatchObject({
      error: { reason: 'degraded' },
    });
    // It cannot be begun anew for a part: everything else would be accepted along with it.
    for (const part of [{ backend: 'notes' }, { kind: 'tool' }, { backend: 'elsewhere' }]) {
      for (const action of ['approve', 'draft']) {
        expect(await gateway.operate(`POST /integrity/${action}`, { all: true, ...part })).toMatchObject({
          error: { reason: 'degraded' },
        });
      }
    }
    expect(await gateway.operate('POST /integrity/approve', { all: true })).toMatchObject({
      value: { begun: 2 },
    });
    expect(await own()).toEqual(['notes_get_help', 'notes_list', 'notes_save']);
    expect(await readFile(`${file()}.refused`, 'utf8')).toBe('broken');
    expect(gateway.acts().filter(({ action }) => action === 'integrity.begin')).toEqual([
      expect.objectContaining({ actor: 'test', accepted: 2 }),
    ]);
  });

  test('that somebody rewrites while the gateway runs is noticed', async () => {
    const gateway = await start();
    await gateway.operate('POST /integrity/list');
    await writeFile(file(), (await read()).replace('Lists notes.', 'Lists all.'));
    await expect.poll(status, { timeout: 9_000, interval: 200 }).toMatchObject({ problem: 'tampered' });
    expect(await own()).toEqual([]);
  }, 15_000);

  test('that cannot be written is said so, and nothing is approved', async () => {
    const gateway = await start();
    await gateway.operate('POST /integrity/list');
    notes.setTools([changed, save]);
    await gateway.gateway.catalog.poll();
    const other = join(folder.path, 'state', 'baseline.jsonl.lock');
    const lock = tryLock(other);
    expect(await gateway.operate('POST /integrity/approve', { all: true })).toMatchObject({
      error: { reason: 'changed_underneath' },
    });
    lock?.release();
    expect(await refusal()).toContain('quarantined');
    expect(await gateway.operate('POST /integrity/approve', { all: true })).toMatchObject({ ok: true });
  });
});

describe('a baseline that the operator signs', () => {
  test('is needed before anything is served; the gateway cannot approve, and a draft that is signed elsewhere opens', async () => {
    const { signer, publicKey } = keyPair();
    const gateway = await start({ public_key: publicKey });
    expect(await own()).toEqual([]);
    expect(await status()).toMatchObject({ state: 'degraded', problem: 'missing', signedBy: 'operator' });
    expect(await gateway.operate('POST /integrity/approve', { all: true })).toMatchObject({
      error: { reason: 'operator_signed' },
    });
    const draft = await gateway.operate('POST /integrity/draft', { all: true });
    const text = draft.ok ? String(draft.value.text) : '';
    expect(text).not.toContain('signature');
    await writeFile(file(), signedBy(signer, text));
    await gateway.operate('POST /integrity/list');
    expect(await own()).toEqual(['notes_get_help', 'notes_list', 'notes_save']);

    notes.setTools([changed, save, { name: 'send', scope: 'mcp:test' }]);
    await gateway.gateway.catalog.poll();
    expect(await own()).toEqual(['notes_get_help', 'notes_save']);
    const ada = await gateway.caller({ scope: 'mcp:test' });
    expect((await ada.tool('notes_send')).error.message).toContain('quarantined');
    const next = await gateway.operate('POST /integrity/draft', { names: ['notes_send'] });
    await writeFile(file(), signedBy(signer, next.ok ? String(next.value.text) : '', Date.now() + 120_000));
    await expect
      .poll(own, { timeout: 9_000, interval: 200 })
      .toEqual(['notes_get_help', 'notes_save', 'notes_send']);
  }, 20_000);

  test('is not one that the gateway signed for itself, nor one of before', async () => {
    await start();
    await stop();
    const { signer, publicKey } = keyPair();
    const gateway = await start({ public_key: publicKey });
    expect(await status()).toMatchObject({ problem: 'foreign_key' });
    await writeFile(file(), signedBy(signer, await read(), 1_000));
    await gateway.operate('POST /integrity/list');
    expect(await status()).toMatchObject({ problem: 'rolled_back' });
  });
});
