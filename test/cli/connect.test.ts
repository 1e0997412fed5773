import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clientPath } from '#cli/connect/client-path.ts';
import { platforms } from '#clients/client.ts';
import { clients } from '#clients/clients.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

const url = 'https://mcp.example.com/mcp';

/** A home folder with one client's file in it. */
async function homeWith(path: string, text?: string, mode = 0o640) {
  const folder = await createTempFolder();
  const file = join(folder.path, path);
  await mkdir(join(file, '..'), { recursive: true });
  if (text !== undefined) {
    await writeFile(file, text);
    await chmod(file, mode);
  }
  const connect = (line: string, cwd = folder.path) =>
    run(`connect ${line}`, { cwd, environment: { HOME: folder.path, PATH: '' } });
  return {
    home: folder.path,
    file,
    connect,
    read: () => readFile(file, 'utf8'),
    beside: async () => (await readdir(join(file, '..'))).sort(),
    [Symbol.asyncDispose]: folder.remove,
  };
}

describe('cortex connect', () => {
  test('lists every client, and tells which are here and which have the gateway', async () => {
    await using home = await homeWith('.cursor/mcp.json', '{}');
    await home.connect(`codex --url ${url} --write`);
    const listed = await home.connect(`--url ${url} --json`);
    const { clients: list } = JSON.parse(listed.stdout);
    expect(list.map(({ client }: { client: string }) => client)).toEqual(clients.map(({ id }) => id));
    expect(
      Object.fromEntries(list.map((one: { client: string; state: string }) => [one.client, one.state])),
    ).toMatchObject({ cursor: 'found', codex: 'connected', 'gemini-cli': 'not found', 'claude-ai': null });
    const plain = await home.connect(`--url ${url}`);
    expect(plain.stdout.split('\n')).toHaveLength(clients.length + 2);
    expect(plain.stdout).toMatch(/^Codex +connected +cortex connect codex$/m);
  });

  test.each(clients)('prints how $title is connected, and the same as JSON', async (client) => {
    const plain = await run(`connect ${client.id} --url ${url} --name gw`);
    expect(plain.exitCode).toBe(0);
    expect(plain.stdout).toContain(url);
    expect(plain.stderr).toContain(client.signIn);
    const json = JSON.parse((await run(`connect ${client.id} --url ${url} --json`)).stdout);
    expect(json).toMatchObject({ client: client.id, url, name: 'cortex', source: client.source });
    if (client.file !== undefined) expect(json.file.content).toContain(url);
  });

  test('prints command lines alone on stdout, quoted for a shell', async () => {
    const odd = `${url}?backends=notes&mode=search`;
    const { stdout } = await run(`connect codex --url ${odd} --name it`);
    expect(stdout).toBe(`codex mcp add it --url '${odd}'\ncodex mcp login it\n`);
  });

  test.each([
    ['Claude-Code', 'claude-code'],
    ['desktop', 'claude-desktop'],
    ['gemini', 'gemini-cli'],
    ['VSCode', 'vscode'],
  ])('knows %s', async (word, id) => {
    expect(JSON.parse((await run(`connect ${word} --url ${url} --json`)).stdout)).toMatchObject({
      client: id,
    });
  });

  test('refuses what it cannot do, each with what to type next', async () => {
    const refusals = {
      'connect curser --url https://a.example/mcp': 'cortex connect cursor',
      'connect claude --url https://a.example/mcp': 'cortex connect claude-code|claude-desktop|claude-ai',
      'connect cursor': '--url https://mcp.example.com/mcp',
      'connect cursor --url ftp://a.example': '--url https://',
      'connect cursor --url https://user:secret@a.example/mcp': '--url https://',
      'connect cursor --url https://a.example/mcp --name 1st': '--name cortex',
      'connect cursor --url https://a.example/mcp --name __proto__': '--name cortex',
      'connect cursor --write --remove': 'one of them',
      'connect --write --url https://a.example/mcp': 'cortex connect',
      'connect claude-ai --write --url https://a.example/mcp': 'cortex connect claude-ai',
      'connect hermes --scope project --write --url https://a.example/mcp': 'without --scope',
    };
    for (const [line, next] of Object.entries(refusals)) {
      const refused = await run(line);
      expect(refused.exitCode, line).toBe(2);
      expect(refused.stderr, line).toContain('next:');
      expect(refused.stderr, line).toContain(next);
      expect(refused.stdout, line).toBe('');
    }
  });

  test('takes the address of the configuration, else of the demo on this machine', async () => {
    await using home = await homeWith('cortex.yaml', undefined);
    const config = (at: string) =>
      `version: 1\ngateway: { url: ${at} }\nauth: { issuers: [{ url: https://auth.example.com }] }\nplans: { all: [mcp:notes:read] }\nbackends: { notes: { url: http://127.0.0.1:4820, technical_token: a-secret-of-a-test-0123456789 } }\n`;
    const demo = join(home.home, '.local/state/cortex/demo');
    await mkdir(demo, { recursive: true });
    await writeFile(join(demo, 'cortex.yaml'), config('http://127.0.0.1:3213/mcp'));
    expect((await home.connect('claude-code')).stdout).toContain(' http://127.0.0.1:3213/mcp');
    await writeFile(home.file, config('https://own.example.com/mcp'));
    expect((await home.connect('claude-code')).stdout).toContain(' https://own.example.com/mcp');
  });

  test('says that a vendor’s servers do not reach this machine', async () => {
    const { stderr } = await run('connect claude-ai --url http://127.0.0.1:3213/mcp');
    expect(stderr).toContain('do not reach http://127.0.0.1:3213/mcp');
  });
});

describe('cortex connect --write', () => {
  const files = clients.flatMap((client) =>
    client.file === undefined ? [] : [{ ...client, file: client.file }],
  );

  test.each(files)(
    '$title: makes the file, again changes nothing, and --remove takes it out',
    async (client) => {
      await using folder = await createTempFolder();
      const around = { cwd: folder.path, environment: { HOME: folder.path, PATH: '' } };
      const connect = (line: string) => run(`connect ${client.id} ${line}`, around);
      const made = JSON.parse((await connect(`--url ${url} --write --json`)).stdout);
      expect(made).toMatchObject({ client: client.id, url, changed: true, backup: null });
      const text = await readFile(made.file, 'utf8');
      expect(text).toContain(url);
      expect(text.endsWith('\n')).toBe(true);
      expect((await stat(made.file)).mode & 0o777).toBe(0o600);

      const again = JSON.parse((await connect(`--url ${url} --write --json`)).stdout);
      expect(again).toMatchObject({ changed: false, backup: null });
      const other = JSON.parse((await connect(`--url ${url}?mode=search --write --json`)).stdout);
      expect(other.changed).toBe(true);
      expect(await readFile(other.backup, 'utf8')).toBe(text);
      expect(await readFile(made.file, 'utf8')).toBe(text.replace(url, `${url}?mode=search`));

      expect(JSON.parse((await connect('--remove --json')).stdout)).toMatchObject({ changed: true });
      expect(await readFile(made.file, 'utf8')).not.toContain(url);
      expect(JSON.parse((await connect('--remove --json')).stdout)).toMatchObject({ changed: false });
    },
  );

  test('keeps everything else of a JSON file: comments, order, tabs, line ends, mark, mode', async () => {
    const before =
      '\ufeff{\r\n\t// mine\r\n\t"mcpServers": {\r\n\t\t"other": { "command": "x" }, // stays\r\n\t},\r\n\t"z": [1, 2],\r\n}\r\n';
    await using home = await homeWith('.cursor/mcp.json', before);
    const written = await home.connect(`cursor --url ${url} --write`);
    expect(written).toMatchObject({ exitCode: 0, stdout: `cortex is in ${home.file}\n` });
    const after = await home.read();
    expect(after).toContain('\t\t"other": { "command": "x" }, // stays\r\n');
    expect(after).toContain(`\t\t"cortex": {\r\n\t\t\t"url": "${url}"\r\n\t\t}`);
    expect(after.startsWith('\ufeff{\r\n\t// mine\r\n')).toBe(true);
    expect(after.endsWith('\t"z": [1, 2],\r\n}\r\n')).toBe(true);
    expect((await stat(home.file)).mode & 0o777).toBe(0o640);
    const [copy = ''] = (await home.beside()).filter((name) => name.includes('before-cortex'));
    expect(copy).toMatch(/^mcp\.json\.before-cortex-\d{8}T\d{6}$/);
    expect(await readFile(join(home.file, '..', copy), 'utf8')).toBe(before);
    expect((await stat(join(home.file, '..', copy))).mode & 0o777).toBe(0o640);
    expect(await home.beside()).toHaveLength(2);
  });

  test.each([
    ['{"a":1}', '{"a":1}'],
    ['{"mcpServers":{"b":{}}}', '{"mcpServers":{"b":{}}}'],
    ['{ "mcpServers": {\n  "b": {} // stays\n} }\n', '{ "mcpServers": {\n  "b": {} // stays\n} }\n'],
    ['{\n  "mcpServers": { // all\n    /* b */ "b": {}\n  }\n}', undefined],
    ['{\n  // none\n}\n', undefined],
    ['{\n  "mcpServers": {\n    // none\n  }\n}\n', '{\n  "mcpServers": {\n    // none\n  }\n}\n'],
  ])('puts into %j and takes out, so that the rest is as before', async (before, expected) => {
    await using home = await homeWith('.cursor/mcp.json', before);
    await home.connect(`cursor --url ${url} --write`);
    const between = await home.read();
    for (const word of before.match(/\/\/.*|\/\*.*\*\/|"\w+"/g) ?? []) expect(between).toContain(word);
    await home.connect('cursor --remove');
    if (before.includes('mcpServers')) expect(await home.read()).toBe(expected ?? before);
    expect(await home.read()).not.toContain(url);
  });

  test('takes an entry out of the middle and of the end, and leaves JSON proper', async () => {
    for (const text of [
      '{\n  "mcpServers": {\n    "a": {},\n    "cortex": { "url": "x" },\n    "b": {}\n  }\n}\n',
      '{\n  "mcpServers": {\n    "a": {}, \n    "cortex": { "url": "x" }\n  }\n}\n',
      '{ "mcpServers": { "cortex": { "url": "x" }, "b": {} } }',
      '{ "mcpServers": { "a": {}, "cortex": { "url": "x" } } }',
    ]) {
      await using home = await homeWith('.cursor/mcp.json', text);
      expect((await home.connect('cursor --remove')).exitCode).toBe(0);
      const { mcpServers } = JSON.parse(await home.read());
      expect(Object.keys(mcpServers)).toEqual(text.match(/(?<=")[ab](?=")/g) ?? []);
    }
  });

  test('changes the address of an entry alone, and keeps what a person added to it', async () => {
    await using home = await homeWith(
      '.cursor/mcp.json',
      '{"mcpServers":{"cortex":{"url":"https://old.example/mcp","auth":{"CLIENT_ID":"mine"}}}}',
    );
    await home.connect(`cursor --url ${url} --write`);
    expect(JSON.parse(await home.read())).toEqual({
      mcpServers: { cortex: { url, auth: { CLIENT_ID: 'mine' } } },
    });
  });

  test('keeps everything else of a TOML file: comments, strings over several lines, other tables', async () => {
    const before = [
      '# mine',
      'model = "x" # best',
      'notes = """',
      '[mcp_servers.cortex]',
      'url = "not this"',
      '"""',
      'matrix = [',
      '  ["a"],',
      ']',
      '',
      '[mcp_servers.cortex] # the gateway',
      "url = 'https://old.example/mcp' # before",
      'tool_timeout_sec = 90',
      '',
      '[mcp_servers."cortex".http_headers]',
      'x = "y"',
      '',
      '# about the other',
      '[mcp_servers.other]',
      'command = "x"',
      '',
    ].join('\n');
    await using home = await homeWith('.codex/config.toml', before);
    await home.connect(`codex --url ${url} --write`);
    expect(await home.read()).toBe(before.replace("'https://old.example/mcp'", `"${url}"`));
    await home.connect('codex --remove');
    const without = before.split('\n');
    without.splice(10, 7);
    expect(await home.read()).toBe(without.join('\n'));
    await home.connect(`codex --url ${url} --write`);
    expect(await home.read()).toBe(`${without.join('\n')}\n[mcp_servers.cortex]\nurl = "${url}"\n`);
  });

  test('keeps everything else of a YAML file: comments, blocks of text, other servers', async () => {
    const before = [
      '# mine',
      'model: x # best',
      'mcp_servers: # all of them',
      '    # the first',
      '    other:',
      '        command: x',
      'note: |',
      '    mcp_servers:',
      '        cortex: no',
      '',
    ].join('\n');
    await using home = await homeWith('.hermes/config.yaml', before);
    await home.connect(`hermes --url ${url} --write`);
    const entry = `    cortex:\n      url: ${url}\n      auth: oauth\n      enabled: true\n`;
    expect(await home.read()).toBe(before.replace('    # the first\n', `${entry}    # the first\n`));
    await home.connect(`hermes --url ${url}?mode=search --write`);
    expect(await home.read()).toContain(`      url: ${url}?mode=search\n      auth: oauth\n`);
    await home.connect('hermes --remove');
    expect(await home.read()).toBe(before);
  });

  test.each([
    ['mcp_servers:\nother: 1\n', 'mcp_servers:\n  cortex:\n'],
    ['mcp_servers: {} # none yet\nother: 1\n', 'mcp_servers: # none yet\n  cortex:\n'],
    ['other: 1', 'other: 1\nmcp_servers:\n  cortex:\n'],
    ['# only a comment\n', '# only a comment\nmcp_servers:\n  cortex:\n'],
  ])('begins the servers of a YAML file that says %j', async (before, start) => {
    await using home = await homeWith('.hermes/config.yaml', before);
    await home.connect(`hermes --url ${url} --write`);
    expect(await home.read()).toContain(start);
    expect(await home.read()).toContain(before.includes('other: 1') ? 'other: 1' : '#');
    await home.connect('hermes --remove');
    expect(await home.read()).not.toContain(url);
  });

  test.each([
    ['.cursor/mcp.json', 'cursor', '{\n  "mcpServers": {\n    "a": ]\n}\n', '3:10', 'value expected'],
    ['.codex/config.toml', 'codex', 'a = 1\n[b\n', '2:', ''],
    ['.codex/config.toml', 'codex', 'a = 1\na = 2\n', '2:', ''],
    ['.hermes/config.yaml', 'hermes', 'a: 1\nb: [1\nc: 2\n', '3:1', ''],
    ['.hermes/config.yaml', 'hermes', 'a: 1\na: 2\n', '2:1', 'unique'],
    ['.openclaw/openclaw.json', 'openclaw', '{\n  mcp: { servers: {} },\n}\n', '2:3', 'symbol'],
  ])('leaves a broken %s as it is, and names the line', async (path, client, text, place, why) => {
    await using home = await homeWith(path, text);
    for (const act of [`--url ${url} --write`, '--remove']) {
      const refused = await home.connect(`${client} ${act}`);
      expect(refused.exitCode).toBe(2);
      expect(refused.stderr).toContain(`${home.file}:${place}`);
      expect(refused.stderr).toContain(why);
      expect(await home.read()).toBe(text);
      expect(await home.beside()).toHaveLength(1);
    }
  });

  test.each([
    ['.cursor/mcp.json', 'cursor', '{"mcpServers":[]}', 'mcpServers is not what it should be'],
    ['.cursor/mcp.json', 'cursor', '[]', 'the file is not what it should be'],
    [
      '.cursor/mcp.json',
      'cursor',
      '{"mcpServers":{"cortex":7}}',
      'mcpServers.cortex is not what it should be',
    ],
    [
      '.cursor/mcp.json',
      'cursor',
      '{"mcpServers":{"cortex":{"command":"x"}}}',
      'another server called cortex',
    ],
    ['.cursor/mcp.json', 'cursor', '{"mcpServers":{},"mcpServers":{"a":{}}}', 'cannot be changed without'],
    ['.codex/config.toml', 'codex', 'mcp_servers = { a = { url = "x" } }\n', 'cannot be changed without'],
    ['.codex/config.toml', 'codex', 'mcp_servers.cortex.url = "x"\n', 'cannot be changed without'],
    ['.hermes/config.yaml', 'hermes', 'mcp_servers: { a: { url: x } }\n', 'cannot be changed without'],
    ['.hermes/config.yaml', 'hermes', '{ a: 1 }\n', 'cannot be changed without'],
    ['.hermes/config.yaml', 'hermes', 'a: 1\n---\nb: 2\n', ':2:1'],
  ])('writes nothing into %s of %s that says %s', async (path, client, text, why) => {
    await using home = await homeWith(path, text);
    const refused = await home.connect(`${client} --url ${url} --write`);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toContain(why);
    expect(await home.read()).toBe(text);
    expect(await home.beside()).toHaveLength(1);
  });

  test('writes through a link that the person made, and leaves the link', async () => {
    await using home = await homeWith('.cursor/mcp.json', undefined);
    const real = join(home.home, 'dotfiles.json');
    await writeFile(real, '{}');
    await symlink(real, home.file);
    expect((await home.connect(`cursor --url ${url} --write`)).exitCode).toBe(0);
    expect((await lstat(home.file)).isSymbolicLink()).toBe(true);
    expect(await readFile(real, 'utf8')).toContain(url);
  });

  test('writes a project’s file for everybody who may read the folder', async () => {
    await using home = await homeWith('project/readme', 'x');
    const cwd = join(home.home, 'project');
    const made = await home.connect(`vscode --scope project --url ${url} --write`, cwd);
    expect(made.stdout).toBe(`cortex is in ${cwd}/.vscode/mcp.json\n`);
    expect((await stat(join(cwd, '.vscode/mcp.json'))).mode & 0o777).toBe(0o644);
  });

  test('attack: a folder from elsewhere has a link to a file of the person’s: nothing is written there', async () => {
    await using home = await homeWith('.claude.json', '{"mcpServers":{}}');
    const cwd = join(home.home, 'cloned');
    await mkdir(join(cwd, '.vscode'), { recursive: true });
    await symlink(home.file, join(cwd, '.vscode/mcp.json'));
    await symlink(home.home, join(cwd, '.cursor'));
    for (const client of ['vscode', 'cursor']) {
      const refused = await home.connect(`${client} --scope project --url ${url} --write`, cwd);
      expect(refused).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('leads out of this folder'),
      });
    }
    expect(await home.read()).toBe('{"mcpServers":{}}');
    expect((await readdir(home.home)).sort()).toEqual(['.claude.json', 'cloned']);
  });

  test('attack: a configuration that merely lies in the folder chooses the address, and that is said', async () => {
    await using home = await homeWith('.cursor/mcp.json');
    await using folder = await createTempFolder();
    const other = 'https://mcp.example.org/mcp';
    await writeFile(join(folder.path, 'cortex.yaml'), `gateway: { url: "${other}" }`);
    const written = await home.connect('cursor --write', folder.path);
    expect(written.exitCode).toBe(0);
    expect(written.stderr).toContain(`It leads to ${other}`);
    const named = await home.connect(`cursor --write --url ${url}`);
    expect(named.stderr).not.toContain('It leads to');
  });

  test('attack: a file with escape sequences drives no terminal when it is refused', async () => {
    await using home = await homeWith('.cursor/mcp.json', '{"mcpServers":{"\u001b]0;x\u0007": }}');
    const refused = await home.connect(`cursor --url ${url} --write`);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  test('refuses a file that is read-only, is no text, is a folder, or leads nowhere', async () => {
    await using readOnly = await homeWith('.cursor/mcp.json', '{}', 0o444);
    expect((await readOnly.connect(`cursor --url ${url} --write`)).stderr).toContain('is read-only');
    await using bytes = await homeWith('.cursor/mcp.json', undefined);
    await writeFile(bytes.file, new Uint8Array([0x7b, 0xff, 0x7d]));
    expect((await bytes.connect(`cursor --url ${url} --write`)).stderr).toContain('not text in UTF-8');
    await using folder = await homeWith('.cursor/mcp.json/x', 'x');
    expect((await folder.connect(`cursor --url ${url} --write`)).stderr).toContain('is no file');
    await using nowhere = await homeWith('.cursor/mcp.json', undefined);
    await symlink('/nowhere/at/all', nowhere.file);
    expect((await nowhere.connect(`cursor --url ${url} --write`)).stderr).toContain('leads nowhere');
  });
});

describe('where clients keep their files', () => {
  const environment = {
    HOME: '/home/ada',
    APPDATA: '/home/ada/Roaming',
    LOCALAPPDATA: '/home/ada/Local',
    PATH: '',
  };

  test.each(platforms)('is known for every client on %s', (platform) => {
    for (const { file, title } of clients) {
      if (file === undefined) continue;
      const path = clientPath(file, 'user', platform, { cwd: '/x', environment });
      expect(path, title).toMatch(/^\/home\/ada\/[^~%\\]+$/);
    }
  });

  test('follows the variable that moves it, where that is a whole path', () => {
    const codex = clients.find(({ id }) => id === 'codex')?.file;
    const openclaw = clients.find(({ id }) => id === 'openclaw')?.file;
    if (codex === undefined || openclaw === undefined) throw new Error('they have files');
    const at = (file: typeof codex, more: Readonly<Record<string, string>>) =>
      clientPath(file, 'user', 'linux', { cwd: '/x', environment: { ...environment, ...more } });
    expect(at(codex, { CODEX_HOME: '/srv/codex' })).toBe('/srv/codex/config.toml');
    expect(at(codex, { CODEX_HOME: 'relative' })).toBe('/home/ada/.codex/config.toml');
    expect(at(openclaw, { OPENCLAW_CONFIG_PATH: '/srv/claw.json' })).toBe('/srv/claw.json');
    expect(clientPath(codex, 'user', 'linux', { cwd: '/x', environment: {} })).toBeUndefined();
  });
});
