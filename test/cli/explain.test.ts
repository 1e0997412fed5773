import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningDemo, startDemo } from '#cli/demo-setup.ts';
import type { Terminal } from '#cli/terminal.ts';
import { createInbox } from '#demo/mailer.ts';
import { signUpForTokens } from '#demo/sign-up.ts';
import { isJsonObject, parseJson } from '#kernel/json.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

const quiet: Terminal = {
  cwd: '/nowhere',
  environment: { HOME: '/nowhere' },
  out: () => {},
  say: () => {},
  isInteractive: false,
  columns: 80,
};
const inbox = createInbox();
let demo: RunningDemo;
let token = '';
beforeAll(async () => {
  demo = await startDemo(
    {
      folder: undefined,
      gatewayPort: freePort(),
      issuerPort: freePort(),
      calendarPort: freePort(),
      adminPort: undefined,
      publicUrl: undefined,
      mailer: inbox,
      isQuiet: true,
    },
    quiet,
  );
  token = await tokenFor('ada@example.com');
});
afterAll(() => demo.stop());

async function tokenFor(email: string): Promise<string> {
  const { readLink } = inbox;
  return (await signUpForTokens({ issuer: demo.issuer, resource: demo.url, email, readLink })).accessToken;
}

const explain = (line: string, held: string | undefined = token) =>
  run(`explain ${line} --config ${demo.configFile}`, held === undefined ? {} : { stdin: [held] });

describe('cortex explain', () => {
  test('passes every gate of a call that works, down to whom the application knows', async () => {
    const result = await explain('notes_list_notes --token -');
    expect(result.exitCode).toBe(0);
    const gates = result.stdout.split('\n').filter((line) => line.startsWith('pass'));
    expect(gates.map((line) => line.split(/\s+/)[1])).toEqual([
      'token',
      'configured',
      'polled',
      'listed',
      'quarantine',
      'chosen',
      'scopes',
      'allowance',
      'identity',
      'application',
    ]);
    expect(result.stdout).toContain('propagate: it gets the caller’s own token');
    expect(result.stdout).toContain('not called');
    expect(result.stdout + result.stderr).not.toContain(token);
  });

  test('calls the tool only when told, and shows the application’s own refusal with whom to ask', async () => {
    const call = `--call {"id":"board-minutes"} --token -`;
    const result = await explain(`notes_read_note ${call}`);
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/^STOP +application +refused: .*This note belongs to somebody else/m);
    expect(result.stdout).toContain('its owner can change it');
    const works = await explain('notes_read_note --call {"id":"welcome"} --token -');
    expect(works.exitCode).toBe(0);
    expect(works.stdout).toContain('Everybody may read this note.');
  });

  test('stops at the scopes with the plan that has them', async () => {
    const result = await explain('billing_export_invoices --token -');
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/^STOP +scopes +missing mcp:billing:export/m);
    expect(result.stdout).toContain('the plan pro has it all');
    expect((await explain('billing_export_invoices --plan pro', undefined)).exitCode).toBe(0);
  });

  test('stops at the token, with what to do about it, and asks the application nothing', async () => {
    const result = await explain('notes_list_notes --call {} --token -', `${token.slice(0, -4)}AAAA`);
    expect(result.exitCode).toBe(1);
    expect(result.stdout.split('\n')[0]).toMatch(/^STOP +token +refused: /);
    expect(result.stdout).toContain('fix: ');
    expect(result.stdout).not.toContain('application');
  });

  test('stops at the account that is not linked, and says where to link it', async () => {
    const result = await explain('calendar_list_events --token -');
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/^STOP +account +this person has linked no account at calendar$/m);
    expect(result.stdout).toContain('open /link/calendar');
  });

  test('knows the gateway’s own tools, which everybody has', async () => {
    const result = await explain('whoami', undefined);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('the gateway’s own tool');
  });

  test('is one document with --json', async () => {
    const parsed = parseJson((await explain('notes_nothing --token - --json')).stdout);
    const document = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
    expect(document).toMatchObject({ tool: 'notes_nothing', works: false });
    expect(JSON.stringify(document.gates)).toContain('no backend lists a tool of this name');
  });

  test.each([
    ['notes_list_notes --call {}', '--call needs the token'],
    ['notes_list_notes --call [1] --token -', 'a JSON object'],
    ['notes_list_notes --plan pro --token -', '--token says which scopes are held'],
    ['notes_list_notes --plan gold', 'no plan is called gold'],
  ])('refuses %j', async (line, words) => {
    const result = await explain(line);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain(words);
  });
});

test('an opaque token that would have to be sent on is stopped at the identity, with the mode that helps', async () => {
  const { identityGate } = await import('#cli/explain/call-gates.ts');
  const gate = identityGate(demo.config, 'notes', 'opaque');
  expect(gate.isPassed).toBe(false);
  expect(gate.fix).toContain('backends.notes.identity: assert');
});

test.each([
  [{ unavailable: 'token_refused' }, false, 'token_refused', 'have it trust the issuer of this token'],
  [{ unavailable: 'unreachable' }, false, 'unreachable', 'start it'],
  [{ unavailable: 'timeout' }, true, 'does not say who the caller is there (timeout)', undefined],
  [undefined, true, 'does not say who the caller is there;', undefined],
  ['Ada', true, 'knows the caller as Ada', undefined],
])('an application that answers whoami with %j: passed is %s', async (said, isPassed, detail, fix) => {
  const { uncalledGate } = await import('#cli/explain/application-gates.ts');
  const gate = uncalledGate(said);
  expect(gate).toMatchObject({ gate: 'application', isPassed, detail: expect.stringContaining(detail) });
  if (fix === undefined) expect(gate.fix).toBeUndefined();
  else expect(gate.fix).toContain(fix);
});

test('an application’s words cannot drive the terminal of whoever reads them', async () => {
  await using folder = await createTempFolder();
  await using backend = createCapturingBackend({ tools: [{ name: 'see', scope: 's' }] });
  const file = await writeConfig(folder.path, {
    gateway: { url: 'http://127.0.0.1:3213/mcp' },
    auth: { issuers: [{ url: 'http://127.0.0.1:1' }] },
    plans: { all: ['s'] },
    backends: { a: { url: backend.url, technical_token: 'technical-token' } },
  });
  const result = await run(`explain a_\u001b]0;owned\u0007 --config ${file}`);
  expect(result.exitCode).toBe(1);
  expect(result.stdout + result.stderr).not.toContain('\u001b');
});

test.each(['explain notes_list_notes', 'catalog'])(
  'attack: with %s, a configuration that merely lies in the folder has the token sent to nobody of its choice',
  async (command) => {
    const shown: string[] = [];
    const other = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      async fetch(request) {
        shown.push(await request.text());
        return Response.json({ active: false });
      },
    });
    await using folder = await createTempFolder();
    const { origin } = other.url;
    await writeConfig(folder.path, {
      gateway: { url: 'http://127.0.0.1:1/mcp' },
      auth: {
        issuers: [{ url: origin, introspection: { url: `${origin}/introspect`, client_id: 'c' } }],
      },
      plans: { everyone: ['mcp:notes:read'] },
    });
    const held = 'an-opaque-token-of-ada';
    const named = await run(`${command} --token - --config cortex.yaml`, { cwd: folder.path, stdin: [held] });
    expect(named.exitCode, named.stderr).toBe(1);
    expect(shown.join()).toContain(held);
    shown.length = 0;
    const result = await run(`${command} --token -`, { cwd: folder.path, stdin: [held] });
    expect(result.stderr).toContain('merely lies in this folder');
    expect(result.exitCode).toBe(2);
    expect(shown.join()).not.toContain(held);
    await other.stop(true);
  },
);
