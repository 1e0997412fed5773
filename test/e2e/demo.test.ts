import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startCortex } from '../support/binary.ts';
import { freePort } from '../support/free-port.ts';
import { createTempFolder } from '../support/temp-folder.ts';

interface Tour {
  readonly ok: boolean;
  readonly steps: readonly { readonly step: string; readonly ok: boolean; readonly seen: string }[];
}

describe('cortex demo', () => {
  test('--once takes the whole tour in an empty folder, exits 0 and leaves nothing behind', async () => {
    await using folder = await createTempFolder();
    await using cortex = startCortex({ args: ['demo', '--once', '--json'], cwd: folder.path });
    const code = await cortex.exited;
    const tour: Tour = JSON.parse(cortex.output());
    expect(tour.steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(tour.steps).toHaveLength(13);
    expect(tour.steps.find(({ step }) => step.includes('revoked'))?.seen).toMatch(
      /^refused \d+ ms after she was revoked; bob goes on$/,
    );
    expect(tour.steps.find(({ step }) => step.includes('links hers'))?.seen).toContain(
      'calendar_list_events',
    );
    expect(tour).toMatchObject({ ok: true });
    expect(code).toBe(0);
    // The home folder of the test is this one, and Bun keeps its own cache there when it runs sources.
    expect(readdirSync(folder.path).filter((name) => name !== '.bun')).toEqual([]);
  });

  test('prints a URL, where to sign in, and a curl that answers, until it is stopped', async () => {
    await using folder = await createTempFolder();
    const port = freePort();
    await using cortex = startCortex({
      args: ['demo', '--ephemeral', '--listen', `127.0.0.1:${port}`],
      cwd: folder.path,
    });
    const text = await printed(cortex.output, 'Ctrl-C stops it.');
    expect(text).toContain(`http://127.0.0.1:${port}/mcp`);
    expect(text).toContain(`http://127.0.0.1:${port + 7}/account`);
    const curl = /^ {2}curl -s[\s\S]*?-d '[^']*'$/m.exec(text)?.[0] ?? '';
    const answer = Bun.spawnSync(['bash', '-c', curl]).stdout.toString();
    expect(JSON.parse(answer).result.tools.map((tool: { name: string }) => tool.name)).toContain(
      'notes_list_notes',
    );
    const [, console = '', token = ''] = /^ {2}Console +(\S+) .*\n +(\S+)$/m.exec(text) ?? [];
    expect(console).toBe(`http://127.0.0.1:${port + 1}/`);
    const operator = await fetch(new URL('/admin/session', console), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await operator.json()).toMatchObject({ name: 'demo', role: 'reveal' });
    expect(await cortex.stop()).toBe(0);
  });

  test('ends with the terminal it was started on', async () => {
    await using folder = await createTempFolder();
    await using cortex = startCortex({
      args: ['demo', '--ephemeral', '--listen', `127.0.0.1:${freePort()}`],
      cwd: folder.path,
    });
    await printed(cortex.output, 'Ctrl-C stops it.');
    process.kill(cortex.pid, 'SIGHUP');
    expect(await cortex.exited).toBe(129);
  });

  test('says what to do where its port is taken', async () => {
    await using folder = await createTempFolder();
    const port = freePort();
    const taken = Bun.serve({ hostname: '127.0.0.1', port: port + 7, fetch: () => new Response() });
    await using cortex = startCortex({
      args: ['demo', '--ephemeral', '--listen', `127.0.0.1:${port}`],
      cwd: folder.path,
    });
    expect(await cortex.exited).toBe(3);
    expect(cortex.output()).toContain('next: stop what runs there');
    await taken.stop(true);
  });

  test('says which port is taken where it is the one of the console', async () => {
    await using folder = await createTempFolder();
    const port = freePort();
    const taken = Bun.serve({ hostname: '127.0.0.1', port: port + 1, fetch: () => new Response() });
    await using cortex = startCortex({
      args: ['demo', '--ephemeral', '--listen', `127.0.0.1:${port}`],
      cwd: folder.path,
    });
    expect(await cortex.exited).toBe(3);
    expect(cortex.output()).toContain(String(port + 1));
    await taken.stop(true);
  });

  test('refuses to be hosted in public without a mail server', async () => {
    await using folder = await createTempFolder();
    await using cortex = startCortex({
      args: ['demo', '--url', 'https://demo.example.com'],
      cwd: folder.path,
    });
    expect(await cortex.exited).toBe(2);
    expect(cortex.output()).toContain('--smtp');
  });
});

async function printed(output: () => string, last: string): Promise<string> {
  const deadline = performance.now() + 15_000;
  while (!output().includes(last)) {
    if (performance.now() > deadline) throw new Error(`never printed ${last}: ${output()}`);
    await Bun.sleep(20);
  }
  return output();
}
