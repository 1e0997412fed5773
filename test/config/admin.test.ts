import { describe, expect, test } from 'vitest';
import { attempt, soundYaml } from './load.ts';

const token = 'a-token-of-43-characters-0123456789-01234567';
const other = 'b-token-of-43-characters-0123456789-01234567';
const quiet = 'backends: { notes: { url: http://127.0.0.1:4820, technical_token: technical } }\n';

const load = (admin: string, environment: Readonly<Record<string, string>> = {}) =>
  attempt({ yaml: `${soundYaml}${quiet}admin: ${admin}\n`, environment, mayExpandSecrets: true });
const issuesOf = async (admin: string) => {
  const { issues } = await load(admin);
  return issues.map((line) => line.replace(/cortex\.yaml:\d+: /, ''));
};

describe('the operators’ listener in the configuration', () => {
  test('is off unless it is named', async () => {
    const { config } = await attempt({ yaml: soundYaml });
    expect(config?.admin).toEqual({ listen: undefined, hosts: [], tokens: new Map() });
  });

  test('has names for its tokens, which show nowhere, and may only look unless more is said', async () => {
    const { config, issues } = await load(
      `{ listen: 3214, hosts: [Cortex.Internal], tokens: { ci: { token: ${token} }, ops: { token: ${other}, role: operate } } }`,
    );
    expect(issues).toEqual([]);
    expect(config?.admin).toMatchObject({
      listen: { host: '127.0.0.1', port: 3214 },
      hosts: ['cortex.internal'],
    });
    expect([...(config?.admin.tokens ?? [])].map(([name, { role }]) => [name, role])).toEqual([
      ['ci', 'read'],
      ['ops', 'operate'],
    ]);
    expect(config?.admin.tokens.get('ci')?.token.reveal()).toBe(token);
    expect(JSON.stringify([...(config?.admin.tokens ?? [])])).not.toContain(token);
  });

  test.each([
    ['0.0.0.0:3214', 'every network of this machine'],
    ['"[::]:3214"', 'every network of this machine'],
    ['192.0.2.7:3214', 'a network'],
    ['admin.example.com:3214', 'a network'],
  ])('on %s is warned of', async (listen, where) => {
    expect(await issuesOf(`{ listen: ${listen}, tokens: { ci: { token: ${token} } } }`)).toEqual([
      `warning admin.listen is open to ${where}, and what operators say and see travels in the clear. Listen on 127.0.0.1, and put a proxy with TLS in front.`,
    ]);
  });

  test.each([
    ['{ listen: 3214 }', 'error admin.listen lets nobody in: there are no admin.tokens.'],
    [`{ listen: 3213, tokens: { ci: { token: ${token} } } }`, 'error admin.listen is also gateway.listen'],
    ['{ listen: 3214, tokens: { ci: { role: read } } }', 'error admin.tokens.ci has no token.'],
    [
      '{ listen: 3214, tokens: { ci: { token: too-short-to-be-safe } } }',
      'error admin.tokens.ci.token is shorter than 32 characters. Make one with: openssl rand -base64 32.',
    ],
    [
      `{ listen: 3214, tokens: { ci: { token: ${token} }, ops: { token: ${token} } } }`,
      'error admin.tokens.ops.token is also that of ci: who acts could not be told.',
    ],
    [
      `{ listen: 3214, tokens: { local: { token: ${token} } } }`,
      'error admin.tokens.local is the name of another actor in the audit: choose one.',
    ],
    [`{ listen: 3214, tokens: { "a b": { token: ${token} } } }`, 'error admin.tokens.a b is not a name.'],
    [
      `{ listen: 3214, tokens: { ci: { token: ${token}, role: root } } }`,
      'error admin.tokens.ci.role: "root" must be read or operate or reveal.',
    ],
    [
      `{ listen: 3214, hosts: ["a.example:80"], tokens: { ci: { token: ${token} } } }`,
      'error admin.hosts: "a.example:80" is not a host name or address; write it without a port.',
    ],
    [
      `{ tokens: { ci: { token: ${token} } } }`,
      'warning admin has no effect without admin.listen. Write admin.listen: 127.0.0.1:3214.',
    ],
  ])('is refused, or doubted, as %s', async (admin, issue) => {
    const issues = await issuesOf(admin);
    expect(issues.join('\n')).toContain(issue);
    expect(issues.join('\n')).not.toContain(token);
  });

  test('takes the secret of existing deployments as the token of admin', async () => {
    const environment = { CORTEX_ADMIN_SECRET: token, CORTEX__ADMIN__TOKENS__ADMIN__ROLE: 'operate' };
    const { config, issues } = await load('{ listen: 3214 }', environment);
    expect(issues).toEqual([]);
    expect(config?.admin.tokens.get('admin')).toMatchObject({ role: 'operate' });
    const unused = await attempt({ yaml: soundYaml, environment: { CORTEX_ADMIN_SECRET: 'x' } });
    expect(unused.issues.join('\n')).toContain('admin has no effect without admin.listen');
  });
});
