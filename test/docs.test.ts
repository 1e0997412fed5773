import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { clients } from '#clients/clients.ts';
import { commandLine } from '#clients/command-line.ts';
import { loadConfig } from '#config/load-config.ts';
import { allOptions } from '#config/options.ts';
import { commands } from '../src/cli/commands.ts';
import { startCortex } from './support/binary.ts';
import { freePort } from './support/free-port.ts';
import { createIssuer } from './support/issuer.ts';
import { runGateway } from './support/running-gateway.ts';
import { createTempFolder } from './support/temp-folder.ts';

const root = join(import.meta.dirname, '..');
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'],
  ...filesIn('docs', '.md'),
  ...filesIn('src', '.md'),
];
const read = (page: string) => readFileSync(join(root, page), 'utf8');
const prose = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, '');

function filesIn(folder: string, ending: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

/** The fenced blocks of a page. */
function blocks(page: string, language: string): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm');
  return [...read(page).matchAll(fence)].map(([, code = '']) => code);
}

/** The anchors of a page, as GitHub makes them. */
function anchors(page: string): ReadonlySet<string> {
  const headings = [...prose(read(page)).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text);
  const slugs = headings.map((text) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set(slugs);
}

function brokenLinks(page: string): readonly string[] {
  const targets = [...prose(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => {
    if (/^(?:https?|mailto):/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : relative(root, join(root, dirname(page), path));
    if (file.startsWith('..') || !existsSync(join(root, file))) return true;
    if (anchor === undefined || statSync(join(root, file)).isDirectory()) return false;
    return file.endsWith('.md') && !anchors(file).has(anchor);
  });
}

describe('the documents', () => {
  test('are found', () => {
    expect(pages).toContain('docs/connect/curl.md');
    expect(pages).toContain('src/mcp/README.md');
    expect(pages.length).toBeGreaterThan(25);
  });

  test.each(pages)('%s links to files and headings that are there, inside the project', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  test.each(pages)('%s names no path of a developer’s machine', (page) => {
    expect(read(page)).not.toMatch(/\/work\/|\/home\/[a-z]|\/Users\/|\/root\//);
  });

  test('lead from the index to every page in docs, and from the front page to the index', () => {
    const index = read('docs/README.md');
    const below = filesIn('docs', '.md').filter((page) => page !== 'docs/README.md');
    expect(below.filter((page) => !index.includes(`(${relative('docs', page)})`))).toEqual([]);
    expect(read('README.md')).toContain('(docs/README.md)');
  });

  test('mention every command, and no command that is not there', () => {
    const all = pages.map(read).join('\n');
    const names = commands.map(({ name }) => name);
    expect(names.filter((name) => !all.includes(`\`cortex ${name}`))).toEqual([]);

    const future = /^## Not yet$[\s\S]*?(?=^## )/gm;
    const firstWords = new Set(['help', ...names.map((name) => name.split(' ')[0] ?? '')]);
    const mentioned = pages.flatMap((page) => {
      const found = read(page)
        .replaceAll(future, '')
        .matchAll(/(?:`|^\s*)cortex ([a-z]+)/gm);
      return [...found].map(([, name = '']) => name);
    });
    expect(mentioned.length).toBeGreaterThan(10);
    expect(mentioned.filter((name) => !firstWords.has(name))).toEqual([]);
  });
});

describe('settings in the documents', () => {
  const paths = allOptions.map(({ path }) => path);
  const sections = [...new Set(paths.map((path) => path.split('.', 1)[0] ?? ''))];
  const source = filesIn('src', '.ts').map(read).join('\n');

  /** A setting, the start of one, or (they look alike) a log event or an act in the audit. */
  function isKnown(name: string): boolean {
    if (paths.some((path) => path === name || path.startsWith(`${name}.`))) return true;
    return source.includes(`'${name}'`);
  }

  // Its names are those of fields in outputs.
  const others = pages.filter((page) => page !== 'docs/json.md');
  test.each(others)('%s names only settings that there are', (page) => {
    const named = [...read(page).matchAll(/`([a-z_]+\.[a-z_.<>*]+)(?::[^`]*)?`/g)].map(
      ([, name = '']) => name,
    );
    const unknown = named.filter((name) => {
      const isSetting = sections.includes(name.split('.', 1)[0] ?? '');
      return isSetting && !/\.(?:ts|md|yaml|db|key|js|mjs)$/.test(name) && !isKnown(name);
    });
    expect(unknown).toEqual([]);
  });

  /** A configuration to which a part about servers is added. */
  const around = [
    'version: 1',
    'gateway: { url: https://mcp.example.com/mcp }',
    'auth: { issuers: [{ url: https://auth.example.com }] }',
    'plans: { everyone: [mcp:tasks:read] }',
    `backends: { tasks: { url: http://127.0.0.1:4830, technical_token: "\${TASKS_TOKEN}" } }`,
    '',
  ].join('\n');

  const configs = pages.flatMap((page) =>
    blocks(page, 'yaml')
      .map((text) => (/^servers:$/m.test(text) && !text.startsWith('version:') ? `${around}${text}` : text))
      .filter((text) => /^version: 1$/m.test(text))
      .map((text, index) => ({ page, text, number: index + 1 })),
  );

  test('stand in several whole configurations', () => {
    expect(configs.length).toBeGreaterThanOrEqual(3);
  });

  test.each(configs)(
    'the configuration $number of $page passes the real loader without a warning',
    async ({ text }) => {
      await using folder = await createTempFolder();
      const file = join(folder.path, 'cortex.yaml');
      const secret = join(folder.path, 'secret');
      await Bun.write(secret, 'a-secret-of-a-test-0123456789-in-a-file\n');
      await Bun.write(file, text.replaceAll(/file:\/\S+/g, `file:${secret}`));
      const variables = [...text.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name = '']) => [
        name,
        `a-secret-of-a-test-0123456789-${name}`,
      ]);
      const loaded = await loadConfig({
        cwd: folder.path,
        environment: { HOME: folder.path, ...Object.fromEntries(variables) },
        file,
        flags: {},
        mayExpandSecrets: true,
      });
      expect((loaded.ok ? loaded.value : loaded.error).issues).toEqual([]);
      expect(loaded.ok).toBe(true);
    },
  );
});

describe('the table of requirements', () => {
  const rows = [...read('docs/protocol.md').matchAll(/^\| (R\d+) \|.*\| ([^|]+) \|$/gm)].map(
    ([, id = '', shownBy = '']) => ({ id, shownBy }),
  );

  test('has R1 to R48, in order', () => {
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 48 }, (_, index) => `R${index + 1}`));
  });

  test.each(rows)('$id is shown by tests that name it, or by the official suite', ({ id, shownBy }) => {
    const files = [...shownBy.matchAll(/\(\.\.\/([^)]+)\)/g)].map(([, file = '']) => file);
    expect(files.length > 0 || shownBy.includes('conformance')).toBe(true);
    expect(files.filter((file) => !new RegExp(`\\b${id}\\b`).test(read(file)))).toEqual([]);
  });
});

/** Runs a block of a page as a script of its own, where the project's packages can be found. */
async function startScript(code: string, folder: string, environment: Readonly<Record<string, string>>) {
  await mkdir(folder, { recursive: true });
  if (!existsSync(join(folder, 'node_modules'))) {
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  }
  const file = join(folder, 'script.mjs');
  await Bun.write(file, code);
  return Bun.spawn([process.execPath, file], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...environment },
    stdout: 'pipe',
    stderr: 'inherit',
  });
}

describe('examples in the documents', () => {
  test('the backend in 45 lines lists its tools and keeps each person’s tasks apart', async () => {
    await using folder = await createTempFolder();
    const audience = 'https://gateway.example/mcp';
    await using issuer = await createIssuer({ audience });
    const [code = ''] = blocks('docs/backends.md', 'js');
    expect(code.trimEnd().split('\n').length).toBe(45);
    const child = await startScript(code, folder.path, {
      PORT: '0',
      TASKS_TOKEN: 'technical-token',
      OAUTH_ISSUER: issuer.url,
      OAUTH_AUDIENCE: audience,
      OAUTH_JWKS_URI: issuer.jwksUrl,
    });
    try {
      const said = child.stdout.getReader();
      const first = new TextDecoder().decode((await said.read()).value);
      const url = `http://127.0.0.1:${/listening on (\d+)/.exec(first)?.[1]}/api/cortex/backend`;
      const post = async (token: string, method: string, params = {}): Promise<unknown> => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const answer = await fetch(url, {
          method: 'POST',
          headers,
          body: JSON.stringify({ method, params }),
        });
        return [answer.status, await answer.json()];
      };
      const scope = 'mcp:tasks:read mcp:tasks:write';
      const [ada, bob, reader] = await Promise.all([
        issuer.mint({ sub: 'ada', scope }),
        issuer.mint({ sub: 'bob', scope }),
        issuer.mint({ sub: 'ada', scope: 'mcp:tasks:read' }),
      ]);

      expect(await post('technical-token', 'list_tools')).toMatchObject([
        200,
        {
          tools: [
            { name: 'list_tasks', scope: 'mcp:tasks:read' },
            { name: 'add_task', scope: 'mcp:tasks:write' },
          ],
        },
      ]);
      expect(await post(ada, 'add_task', { title: 'Tea' })).toEqual([200, { count: 1 }]);
      expect(await post(bob, 'list_tasks')).toEqual([200, { tasks: [] }]);
      expect(await post(ada, 'list_tasks')).toEqual([200, { tasks: ['Tea'] }]);
      expect(await post(reader, 'add_task', { title: 'x' })).toMatchObject([
        403,
        { required: 'mcp:tasks:write' },
      ]);
      expect(await post('technical-token', 'add_task')).toMatchObject([403, {}]);
      expect(await post('technical-token', 'list_prompts')).toMatchObject([404, {}]);
      expect(await post(ada, 'list_tools')).toMatchObject([403, {}]);
      expect(await post('forged', 'list_tasks')).toMatchObject([401, {}]);
    } finally {
      child.kill();
      await child.exited;
    }
  });

  test('the same backend passes the contract’s own test kit', { timeout: 60_000 }, async () => {
    await using folder = await createTempFolder();
    const issuerPort = freePort();
    const audience = 'https://gateway.example/mcp';
    const [code = ''] = blocks('docs/backends.md', 'js');
    const child = await startScript(code, folder.path, {
      PORT: '0',
      TASKS_TOKEN: 'technical-token',
      OAUTH_ISSUER: `http://127.0.0.1:${issuerPort}`,
      OAUTH_AUDIENCE: audience,
      OAUTH_JWKS_URI: `http://127.0.0.1:${issuerPort}/.well-known/jwks.json`,
    });
    try {
      const said = await child.stdout.getReader().read();
      const port = /listening on (\d+)/.exec(new TextDecoder().decode(said.value))?.[1];
      const args = ['--technical-token', 'technical-token', '--audience', audience];
      await using check = startCortex({
        args: ['backend', 'check', `http://127.0.0.1:${port}`, '--issuer-port', String(issuerPort), ...args],
        cwd: folder.path,
      });
      expect(await check.exited, check.output()).toBe(0);
      expect(check.output()).toContain(' 0 failed, 1 to look at, 1 skipped');
    } finally {
      child.kill();
      await child.exited;
    }
  });

  test('the front page has the line of each client that takes one, as `cortex connect` prints it', () => {
    const page = read('README.md');
    const url = 'http://127.0.0.1:3213/mcp';
    const lines = clients.flatMap(({ commands: commandsFor }) => {
      const [first] = commandsFor({ name: 'cortex', url, bridge: [] });
      return first === undefined ? [] : [commandLine(first)];
    });
    expect(lines.length).toBeGreaterThan(4);
    expect(lines.filter((line) => !page.includes(`\`${line}\``))).toEqual([]);
  });

  test('the three lines for it in the front page fit its whole configuration', () => {
    const [lines = '', ...others] = blocks('README.md', 'yaml');
    const whole = others.find((text) => text.startsWith('version: 1')) ?? '';
    expect(parse(`backends:\n${lines}`)).toEqual({ backends: parse(whole).backends });
  });

  test.each([
    ['2.x', 0],
    ['1.x', 1],
  ])('the program for the SDK %s signs in with a token, lists and calls', async (_name, index) => {
    await using folder = await createTempFolder();
    await using running = await runGateway({
      backends: { notes: { tools: [{ name: 'echo', scope: 'mcp:test' }] } },
      config: { gateway: { url: 'http://127.0.0.1:3213/mcp' } },
    });
    const code = blocks('docs/connect/sdk.md', 'js')[index] ?? '';
    const child = await startScript(code, folder.path, {
      CORTEX_URL: `${running.listen()}/mcp`,
      CORTEX_TOKEN: await running.issuer.mint({ sub: 'ada', scope: 'mcp:test' }),
    });
    const text = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    expect(text).toMatch(/\bnotes_echo\b/);
    expect(text).toContain('"subject": "ada"');
  });
});
