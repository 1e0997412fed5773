import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createIssuer, type TestIssuer } from '../support/issuer.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

interface Step {
  readonly step: string;
  readonly status: string;
  readonly found: string;
  readonly fix: string | null;
  readonly details: readonly string[];
}

let folder: TempFolder;
let issuer: TestIssuer;
beforeAll(async () => {
  folder = await createTempFolder();
  issuer = await createIssuer({ audience: 'http://127.0.0.1:3213/mcp' });
});
afterAll(async () => {
  await issuer.close();
  await folder.remove();
});

const someone = (answer: () => Response | Promise<Response>) =>
  Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answer });

const settings = (more: Readonly<Record<string, unknown>>) => ({
  gateway: { url: 'http://127.0.0.1:3213/mcp' },
  auth: { issuers: [{ url: issuer.url }] },
  plans: { pro: ['notes:read'] },
  ...more,
});

async function stepsOf(more: Readonly<Record<string, unknown>>, line = '') {
  const config = await writeConfig(folder.path, settings(more));
  const { exitCode, stdout } = await run(`doctor --json ${line === '' ? `--config ${config}` : line}`, {
    cwd: folder.path,
  });
  const steps: readonly Step[] = JSON.parse(stdout).steps;
  return { exitCode, step: (name: string) => steps.find((one) => one.step === name) };
}

const tools = [{ name: 'list', scope: 'notes:read' }];

describe('the doctor, asking each application', () => {
  const cases: readonly (readonly [
    title: string,
    answer: () => Response | Promise<Response>,
    status: string,
    found: string,
    fix: string | null,
  ])[] = [
    ['answers', () => Response.json({ tools }), 'ok', '1 tool in ', null],
    [
      'takes another technical token',
      () => Response.json({ error: 'no' }, { status: 403 }),
      'failed',
      'refuses the technical token (403)',
      'backends.notes.technical_token',
    ],
    [
      'answers at another path',
      () => new Response('Cannot POST', { status: 404 }),
      'failed',
      'was answered 404',
      'set backends.notes.path to where the application answers; it is /api/cortex/backend unless said',
    ],
    [
      'has a fault',
      () => new Response('<h1>\u001b[31mboom</h1>', { status: 500 }),
      'failed',
      'list_tools was answered 500: <h1><U+001B>[31mboom</h1>',
      'cortex backend check',
    ],
    [
      'answers with a page',
      () => new Response('<html>hello</html>'),
      'failed',
      'otherwise than by the contract: <html>hello</html>',
      'cortex backend check',
    ],
    [
      'names another list',
      () => Response.json({ items: [] }),
      'failed',
      'otherwise than by the contract: {"items":[]}',
      'cortex backend check',
    ],
    [
      'offers nothing',
      () => Response.json({ tools: [] }),
      'warning',
      '0 tools in ',
      'it offers nothing yet: cortex backend check',
    ],
    [
      'has a tool that nobody may see',
      () => Response.json({ tools: [...tools, { name: 'secret' }] }),
      'warning',
      '2 tools in ',
      'what names none is shown to nobody',
    ],
    [
      'has tools that nobody asks for',
      () => Response.json({ tools: [{ name: 'list', scope: 'other:read' }] }),
      'warning',
      'clients are told to ask for none of their scopes',
      'name them in plans or auth.challenge_scopes: other:read',
    ],
    [
      'has a definition that cannot be used',
      () => Response.json({ tools: [...tools, { name: 'bad', scope: 'notes:read', inputSchema: 7 }] }),
      'warning',
      '1 definition with a problem',
      'cortex backend check',
    ],
    [
      'takes its time',
      () => Bun.sleep(2_050).then(() => Response.json({ tools })),
      'warning',
      ' ms: slow',
      'backends.notes.timeout',
    ],
  ];
  test.each(cases)('finds that one %s', async (_title, answer, status, found, fix) => {
    const server = someone(answer);
    const url = `http://127.0.0.1:${server.port}`;
    const { exitCode, step } = await stepsOf({ backends: { notes: { url, technical_token: 'x' } } });
    await server.stop(true);
    expect(step('notes')).toMatchObject({ status });
    expect(step('notes')?.found).toContain(found);
    if (fix === null) expect(step('notes')?.fix).toBeNull();
    else expect(step('notes')?.fix).toContain(fix);
    expect(exitCode).toBe(status === 'failed' ? 1 : 0);
  });

  test('asks one again that was asleep', async () => {
    let asked = 0;
    const server = someone(async () => {
      asked += 1;
      if (asked === 1) await Bun.sleep(2_050);
      return Response.json({ tools });
    });
    const url = `http://127.0.0.1:${server.port}`;
    const { step } = await stepsOf({ backends: { notes: { url, technical_token: 'x' } } });
    await server.stop(true);
    expect(asked).toBe(2);
    expect(step('notes')).toMatchObject({ status: 'ok' });
  });

  test('goes on at the next where one is down, and ends with the code of the first', async () => {
    const server = someone(() => Response.json({ tools }));
    const { exitCode, step } = await stepsOf({
      backends: {
        dead: { url: `http://127.0.0.1:${freePort()}`, technical_token: 'x' },
        notes: { url: `http://127.0.0.1:${server.port}`, technical_token: 'x' },
      },
    });
    await server.stop(true);
    expect(step('dead')).toMatchObject({ status: 'unreachable' });
    expect(step('notes')).toMatchObject({ status: 'ok' });
    expect(exitCode).toBe(3);
  });

  test('sends no secret where a file merely lies in the current folder', async () => {
    let asked = 0;
    const server = someone(() => {
      asked += 1;
      return Response.json({ tools });
    });
    const url = `http://127.0.0.1:${server.port}`;
    // The name of the configuration is not given: it is found.
    const { step } = await stepsOf({ backends: { notes: { url, technical_token: 's3cret' } } }, '--quiet');
    await server.stop(true);
    expect(step('notes')).toMatchObject({ status: 'skipped' });
    expect(step('notes')?.found).toContain('name the configuration with --config');
    expect(asked).toBe(0);
  });
});

describe('the doctor, asking third parties’ servers', () => {
  const scopes = { default: 'files:read' };

  test.each([
    ['wants accounts', 401, 'ok', 'and wants each user’s own account'],
    ['does not like the question', 400, 'ok', 'answers in '],
    ['is not there', 404, 'failed', 'was answered 404'],
    ['has a fault', 502, 'failed', 'was answered 502'],
  ])('finds that one %s', async (_title, answered, status, found) => {
    const server = someone(() => new Response('', { status: answered }));
    const url = `http://127.0.0.1:${server.port}/mcp`;
    const { step } = await stepsOf({ servers: { files: { url, identity: 'none', scopes } } });
    await server.stop(true);
    expect(step('files')).toMatchObject({ status });
    expect(step('files')?.found).toContain(found);
  });

  test('finds that nobody is there, and runs no command', async () => {
    const { exitCode, step } = await stepsOf({
      servers: {
        gone: { url: `http://127.0.0.1:${freePort()}/mcp`, identity: 'none', scopes },
        local: { command: ['touch', join(folder.path, 'ran')], identity: 'none', scopes },
      },
    });
    expect(step('gone')).toMatchObject({ status: 'unreachable' });
    expect(step('gone')?.fix).toContain('servers.gone.url');
    expect(step('local')).toMatchObject({ status: 'skipped' });
    expect(await Bun.file(join(folder.path, 'ran')).exists()).toBe(false);
    expect(exitCode).toBe(3);
  });
});
