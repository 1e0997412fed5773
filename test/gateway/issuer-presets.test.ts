import { expect, test } from 'vitest';
import { createIssuer } from '../support/issuer.ts';
import { canonicalUrl, runGateway } from '../support/running-gateway.ts';
import { startNativeServer } from './support/native-server.ts';

test.each([
  ['entra', false],
  ['generic', true],
])('signing in at an issuer of the preset %s says what the token is for: %s', async (preset, says) => {
  await using issuer = await createIssuer({ audience: canonicalUrl });
  await using running = await runGateway({
    issuer,
    config: {
      auth: {
        issuers: [{ url: issuer.url, preset }],
        challenge_scopes: ['api://notes/mcp.read'],
        sign_in: { client_id: 'pages' },
      },
    },
  });
  const answer = await running.fetch('/sign-in');
  const away = new URL(answer.headers.get('location') ?? '');
  expect(away.origin).toBe(issuer.url);
  expect(away.searchParams.has('resource')).toBe(says);
  expect(away.searchParams.get('scope')).toBe('api://notes/mcp.read');
});

test('a role opens tools for people and machines, and the audit says which of the two it was', async () => {
  await using issuer = await createIssuer({ audience: canonicalUrl });
  await using running = await runGateway({
    issuer,
    backends: { notes: { tools: [{ name: 'list', scope: 'notes:read' }] } },
    config: {
      auth: {
        issuers: [{ url: issuer.url, roles: { reader: ['notes:read'] } }],
        challenge_scopes: ['notes:read'],
      },
    },
  });
  const person = await running.caller({ sub: 'ada', roles: ['reader'], scope: '' });
  const machine = await running.caller({ sub: 'nightly', client_id: 'nightly', roles: ['reader'] });
  const nobody = await running.caller({ sub: 'bob', roles: ['writer'] });
  expect(JSON.stringify(await person.tool('notes_list'))).not.toContain('Unknown tool');
  expect(JSON.stringify(await machine.tool('notes_list'))).not.toContain('Unknown tool');
  expect(JSON.stringify(await nobody.tool('notes_list'))).toContain('Unknown tool');
  const calls = await running.calls(3, ({ tool }) => tool === 'notes_list');
  expect(calls.map(({ caller, outcome }) => `${caller} ${outcome}`)).toEqual([
    'user ok',
    'client ok',
    'user refused',
  ]);
  expect(calls[0]?.user).not.toBe(calls[1]?.user);
});

test('a machine is not asked to link an account, which a person is', async () => {
  await using server = startNativeServer();
  await using running = await runGateway({
    config: {
      servers: { linear: { url: server.url, scopes: { default: 'linear:use' } } },
      auth: { challenge_scopes: ['linear:use'] },
    },
  });
  const person = await running.caller({ sub: 'ada', scope: 'linear:use' });
  const machine = await running.caller({ sub: 'nightly', client_id: 'nightly', scope: 'linear:use' });
  expect(JSON.stringify(await person.modern('tools/list', {}))).toContain('linear_link');
  expect(JSON.stringify(await machine.modern('tools/list', {}))).not.toContain('linear_');
  expect(JSON.stringify(await machine.tool('linear_link'))).toContain('Unknown tool');
});
