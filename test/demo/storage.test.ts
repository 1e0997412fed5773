import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basic, issuer, readAnswer, redemption, startDemo } from './demo-fixture.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cortex-demo-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the database', () => {
  it('survives a restart: users, clients, refresh tokens and the signing key', async () => {
    const files = { databasePath: join(folder, 'demo.db'), keyFile: join(folder, 'demo.key') };
    const first = await startDemo(files);
    const id = await first.register();
    const tokens = await first.tokens(id);
    first.server.setPlan('ada@example.com', 'pro');
    first.server.close();

    const second = await startDemo(files);
    const state = await second.post('/introspect', { token: tokens.text('access_token') }, basic);
    expect(state.body.active).toBe(true);
    const form = { grant_type: 'refresh_token', client_id: id, refresh_token: tokens.text('refresh_token') };
    expect((await second.post('/token', form)).text('scope')).toContain('mcp:billing:export');
    second.server.close();
  });

  it('holds no code, token, link, cookie or secret that could be used, and only its owner reads it', async () => {
    const demo = await startDemo({
      databasePath: join(folder, 'demo.db'),
      keyFile: join(folder, 'demo.key'),
    });
    const body = JSON.stringify({ redirect_uris: ['http://127.0.0.1/callback'] });
    const client = await readAnswer(await demo.send(`${issuer}/register`, { method: 'POST', body }));
    const redirect = await demo.authorize({ client_id: client.text('client_id') });
    const form = {
      ...redemption(client.text('client_id'), redirect),
      client_secret: client.text('client_secret'),
    };
    const tokens = await demo.post('/token', form);
    const secrets = [
      client.text('client_secret'),
      redirect.searchParams.get('code') ?? '',
      tokens.text('refresh_token'),
      tokens.text('access_token'),
      new URL(await demo.inbox.readLink('ada@example.com')).searchParams.get('token') ?? '',
    ];
    const written = readdirSync(folder)
      .filter((name) => name.startsWith('demo.db'))
      .map((name) => readFileSync(join(folder, name), 'latin1'))
      .join('');
    expect(written).toContain('ada@example.com');
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(40);
      expect(written).not.toContain(secret);
    }
    for (const name of ['demo.db', 'demo.key']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    demo.server.close();
  });

  it('does not grow: what has expired is swept away by later requests', async () => {
    const demo = await startDemo({ databasePath: join(folder, 'demo.db') });
    const id = await demo.register();
    await demo.tokens(id);
    demo.clock.advance(31 * 24 * 3_600);
    await demo.send(`${issuer}/sign-in`);
    const { Database } = await import('bun:sqlite');
    const database = new Database(join(folder, 'demo.db'), { readonly: true });
    for (const table of ['grants', 'codes', 'refresh_tokens', 'sessions', 'links'])
      expect(database.query(`SELECT count(*) AS n FROM ${table}`).get(), table).toEqual({ n: 0 });
    database.close();
    demo.server.close();
  });

  it('keeps at most fifty grants a user, ending the oldest', async () => {
    const demo = await startDemo({ limits: { maxGrantsPerUser: 2 } });
    const browser = demo.browser();
    const id = await demo.register();
    const answers = [];
    for (let count = 0; count < 3; count += 1) {
      answers.push(await demo.tokens(id, {}, { browser }));
      demo.clock.advance(1);
    }
    const states = await Promise.all(
      answers.map(
        async (answer) =>
          (await demo.post('/introspect', { token: answer.text('access_token') }, basic)).body.active,
      ),
    );
    expect(states).toEqual([false, true, true]);
    demo.server.close();
  });
});

describe('a failed start', () => {
  it.each([
    ['an issuer with a path', { issuer: 'http://auth.test/x' }],
    ['an issuer with a slash at the end', { issuer: 'http://auth.test/' }],
    ['no resource', { resources: [] }],
    ['no plan', { plans: {} }],
    ['a plan of scopes nobody described', { plans: { free: ['mcp:unknown'] } }],
  ])('comes of %s', async (_name, options) => {
    await expect(startDemo(options)).rejects.toThrow();
  });

  it('comes of a key file that holds no key', async () => {
    const keyFile = join(folder, 'bad.key');
    await Bun.write(keyFile, 'not a key');
    chmodSync(keyFile, 0o600);
    await expect(startDemo({ keyFile })).rejects.toThrow();
  });
});
