import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IssuerOptions } from '#auth/options.ts';
import { type KeyServer, makeKey, publish, type SigningKey, sign, startKeyServer } from './key-server.ts';
import { createResourceServer, principalOf, reasonOf } from './resource-server.ts';
import { auth0 } from './token-shapes/auth0.ts';
import { authentik } from './token-shapes/authentik.ts';
import { cognito } from './token-shapes/cognito.ts';
import { entra, oid, tenant } from './token-shapes/entra.ts';
import { hydra } from './token-shapes/hydra.ts';
import { keycloak } from './token-shapes/keycloak.ts';
import { okta } from './token-shapes/okta.ts';
import { api, type TokenShape } from './token-shapes/shape.ts';
import { zitadel } from './token-shapes/zitadel.ts';

const shapes = { keycloak, auth0, okta, entra, zitadel, authentik, hydra, cognito };
const named = Object.entries(shapes);

let server: KeyServer;
let key: SigningKey;
beforeAll(async () => {
  server = startKeyServer();
  key = await makeKey('RS256', 'k1');
  publish(server, [key]);
});
afterAll(() => server[Symbol.asyncDispose]());

type Claims = Readonly<Record<string, unknown>>;

/** Presents a token of these claims, signed by the issuer, to a gateway that trusts it. */
async function present(shape: TokenShape, claims: Claims, over: Partial<IssuerOptions> = {}) {
  using gateway = createResourceServer([{ ...shape.issuer, jwksUri: `${server.origin}/keys`, ...over }], {
    canonicalUrl: api,
  });
  const iat = gateway.clock.seconds();
  const times = { iat, exp: iat + 300 };
  const token = await sign(
    key,
    { ...claims, ...times, ...(claims.nbf !== undefined && { nbf: iat }) },
    {
      typ: undefined,
      ...shape.header,
    },
  );
  return await gateway.ask(token);
}
const person = (shape: TokenShape, changes: Claims = {}, over: Partial<IssuerOptions> = {}) =>
  present(shape, { ...shape.person.claims, ...changes }, over);

describe.each(named)('the preset %s', (_name, shape) => {
  test('says where its claims are documented', () => {
    for (const url of shape.source) expect(new URL(url).protocol).toBe('https:');
    expect(shape.source.length).toBeGreaterThan(0);
  });

  test("reads a person's token", async () => {
    const { tokenScopes, ...rest } = shape.person.is;
    const principal = principalOf(await person(shape));
    expect(principal).toMatchObject({ issuer: shape.issuer.url, ...rest });
    expect(principal.tokenScopes).toEqual(tokenScopes);
  });

  test("reads a machine's token", async () => {
    const principal = principalOf(await present(shape, shape.machine.claims));
    expect(principal).toMatchObject(shape.machine.is);
  });

  test.skipIf(shape.idToken === undefined)('refuses the ID token of the same sign-in', async () => {
    expect(reasonOf(await present(shape, shape.idToken ?? {}))).toBe('type_refused');
  });

  test('refuses a token of a person whose subject is missing, rather than making the client of it', async () => {
    for (const missing of ['sub', 'oid', 'uid', 'tid']) {
      if (shape.person.claims[missing] === undefined || !isSubject(shape, missing)) continue;
      expect(reasonOf(await person(shape, { [missing]: undefined }))).toBe('subject_missing');
    }
  });

  test('takes every claim from where the operator says', async () => {
    const claims = {
      subject: ['x.subject'],
      scopes: ['x.scopes'],
      permissions: ['x.permissions'],
      client: ['x.client'],
      role: ['x.role'],
      pool: ['x.pool'],
      email: ['x.email'],
      session: ['x.session'],
      tokenId: ['x.id'],
    };
    const x = {
      subject: 'S',
      scopes: 'a b',
      permissions: ['a', 'r'],
      client: 'C',
      role: ['R'],
      pool: 'P',
      email: 'E',
      session: 'Z',
      id: 'I',
    };
    const roleScopes = new Map([['R', ['r', 'q']]]);
    const admitted = principalOf(await person(shape, { x }, { claims, roleScopes, clients: ['C'] }));
    expect(admitted).toMatchObject({
      subject: 'S',
      tokenScopes: ['a'],
      scopeKey: 'a r',
      clientId: 'C',
      role: 'R',
      pool: 'P',
      email: 'E',
      sessionId: 'Z',
      tokenId: 'I',
    });
  });
});

/** What the preset makes the subject of. */
function isSubject(shape: TokenShape, claim: string): boolean {
  if (shape === okta) return claim === 'uid';
  return shape === entra ? claim === 'oid' || claim === 'tid' : claim === 'sub';
}

describe('the permissions of Auth0', () => {
  test('are a ceiling, and never added', async () => {
    const principal = principalOf(
      await person(auth0, { scope: 'notes:write', permissions: ['notes:admin'] }),
    );
    expect([...principal.scopes]).toEqual([]);
  });

  test('bound nothing where the token tells none', async () => {
    const principal = principalOf(await person(auth0, { permissions: undefined }));
    expect(principal.tokenScopes).toEqual(['openid', 'notes:read', 'notes:write']);
  });

  test('leave nothing where the person has none, or where they are no list', async () => {
    for (const permissions of [[], {}, 7, '', null]) {
      expect(principalOf(await person(auth0, { permissions })).tokenScopes).toEqual([]);
    }
  });

  test('bound what roles give as well', async () => {
    const roleScopes = new Map([['boss', ['notes:admin', 'billing:all']]]);
    const claims = { role: ['https://example.com/roles'] };
    const principal = principalOf(
      await person(auth0, { 'https://example.com/roles': ['boss'] }, { roleScopes, claims }),
    );
    expect(principal.scopeKey).toBe('notes:admin notes:read');
  });

  test('are read in the RFC 9068 profile too', async () => {
    const profile = { azp: undefined, client_id: 'my_client_id', jti: '73WakrfVbNJBaAmhQtEeDv' };
    expect(principalOf(await person(auth0, profile))).toMatchObject({
      clientId: 'my_client_id',
      tokenId: '73WakrfVbNJBaAmhQtEeDv',
      tokenScopes: ['notes:read'],
    });
  });
});

describe('the two issuers of Entra', () => {
  const v1 = {
    iss: `https://sts.windows.net/${tenant}/`,
    ver: '1.0',
    azp: undefined,
    appid: '11111111-2222-3333-4444-555555555555',
    aud: api,
  };

  test('are one: a person is the same principal in tokens of both versions', async () => {
    const first = principalOf(await person(entra, v1));
    const second = principalOf(await person(entra));
    expect(first.key).toBe(second.key);
    expect(first.key).toBe(JSON.stringify([entra.issuer.url, `${tenant}:${oid}`]));
    expect(first.clientId).toBe(second.clientId);
  });

  test('are one whichever is configured', async () => {
    const url = `https://sts.windows.net/${tenant}/`;
    const principal = principalOf(await person(entra, {}, { url }));
    expect(principal.issuer).toBe(url);
  });

  test('of another tenant are refused in both spellings', async () => {
    const other = '00000000-2b34-4da1-9baa-8bc8c9d6a490';
    for (const iss of [
      `https://sts.windows.net/${other}/`,
      `https://login.microsoftonline.com/${other}/v2.0`,
      `https://sts.windows.net/${tenant}`,
      `https://login.microsoftonline.com/${tenant}/v2.0/`,
    ]) {
      expect(reasonOf(await person(entra, { iss }))).toBe('issuer_unknown');
    }
  });

  test('do not make one of issuers of another preset', async () => {
    expect(reasonOf(await person(entra, v1, { preset: 'generic' }))).toBe('issuer_unknown');
  });

  test('stay two where both are configured by name', async () => {
    const url = `https://sts.windows.net/${tenant}/`;
    const both = [
      { ...entra.issuer, jwksUri: `${server.origin}/keys` },
      { ...entra.issuer, url, jwksUri: `${server.origin}/keys` },
    ];
    using gateway = createResourceServer(both);
    const iat = gateway.clock.seconds();
    const token = await sign(key, { ...entra.person.claims, ...v1, iat, exp: iat + 300 });
    expect(principalOf(await gateway.ask(token)).issuer).toBe(url);
  });

  test('tell a person by object and tenant, so that one cannot be spelled as another', async () => {
    const shifted = principalOf(await person(entra, { tid: `${tenant}:x`, oid: 'y' }));
    const other = principalOf(await person(entra, { tid: tenant, oid: 'x:y' }));
    expect(shifted.subject).not.toBe(other.subject);
  });

  test('know a token of an application by `idtyp` where it has scopes all the same', async () => {
    expect(principalOf(await person(entra, { idtyp: 'app' })).kind).toBe('client');
    expect(principalOf(await person(entra, { idtyp: 'user' })).kind).toBe('user');
  });
});

describe('the person behind an Okta token', () => {
  test('stays the same under another login, and is not whoever gets the old one', async () => {
    const before = principalOf(await person(okta));
    const renamed = principalOf(await person(okta, { sub: 'ada.lovelace@example.com' }));
    const successor = principalOf(await person(okta, { uid: '00uSOMEBODYELSE' }));
    expect(renamed.key).toBe(before.key);
    expect(successor.key).not.toBe(before.key);
  });

  test('cannot become a client by a login that is a client id', async () => {
    const principal = principalOf(await person(okta, { sub: '0oabzljih3rnr6aGt0h7' }));
    expect(principal).toMatchObject({ kind: 'user', subject: '00uid4BxXw6I6TV4m0g3' });
  });
});

describe('the roles of Keycloak', () => {
  test('of another client count for nothing', async () => {
    const principal = principalOf(await person(keycloak));
    expect(principal.scopes.has('stolen:scope')).toBe(false);
  });

  test('of the client that is named count', async () => {
    const claims = { role: ['resource_access.notes.app.roles'] };
    const principal = principalOf(
      await person(
        keycloak,
        { resource_access: { 'notes.app': { roles: ['mcp-admin'] }, notes: { app: { roles: ['x'] } } } },
        { claims },
      ),
    );
    expect(principal.role).toBe('mcp-admin');
    expect(principal.scopes.has('notes:admin')).toBe(true);
  });

  test('do not come from a person who calls itself a service account', async () => {
    const named = { preferred_username: 'service-account-claude' };
    expect(principalOf(await person(keycloak, named))).toMatchObject({ kind: 'user' });
    // Even a mapped client id makes a label of it, and no other principal.
    expect(principalOf(await person(keycloak, { ...named, client_id: 'claude' }))).toMatchObject({
      subject: keycloak.person.is.subject,
    });
  });

  test.each(['Refresh', 'Offline', 'Logout', undefined, 7])('refuse a token of the kind %s', async (typ) => {
    expect(reasonOf(await person(keycloak, { typ }))).toBe('type_refused');
  });
});

describe('the project roles of ZITADEL', () => {
  const claim = 'urn:zitadel:iam:org:project:roles';
  const scopeKeyOf = async (roles: unknown) =>
    principalOf(await person(zitadel, { [claim]: roles })).scopeKey;

  test('are the keys, in an object, in a list of objects, or as text', async () => {
    const editor = 'notes:read notes:write';
    expect(await scopeKeyOf({ editor: { '1': 'a.ch' } })).toBe(editor);
    expect(await scopeKeyOf([{ editor: { '1': 'a.ch' } }])).toBe(editor);
    expect(await scopeKeyOf(['editor'])).toBe(editor);
  });

  test.each([[{ editor: {} }], [{ editor: false }], [{ editor: null }], [{ editor: [] }], [{}], [null], [7]])(
    'that nobody gave are none: %j',
    async (roles) => {
      expect(await scopeKeyOf(roles)).toBe('');
    },
  );

  test('are no keys under any other preset', async () => {
    const keyed = { realm_access: { roles: { 'mcp-admin': { '1': 'a.ch' } } } };
    expect(principalOf(await person(keycloak, keyed)).scopes.has('notes:admin')).toBe(false);
  });

  test('of one project are read where the operator names it', async () => {
    const roles = { 'urn:zitadel:iam:org:project:7:roles': { auditor: { '1': 'a.ch' } } };
    const claims = { role: ['urn:zitadel:iam:org:project:7:roles'] };
    expect(principalOf(await person(zitadel, roles, { claims })).scopeKey).toBe('notes:audit');
  });
});

describe('a token of Cognito, which has no audience', () => {
  test('is refused unless clients are listed', async () => {
    expect(reasonOf(await person(cognito, {}, { clients: undefined }))).toBe('audience_refused');
  });

  test('is refused when it is of a client that is not listed', async () => {
    expect(reasonOf(await person(cognito, { client_id: 'another-app' }))).toBe('client_refused');
    expect(reasonOf(await person(cognito, { client_id: undefined }))).toBe('client_refused');
  });

  test('is for whom it says, where it was bound to a resource', async () => {
    expect(reasonOf(await person(cognito, { aud: 'https://elsewhere.example' }))).toBe('audience_refused');
    expect(reasonOf(await person(cognito, { aud: [] }))).toBe('audience_refused');
    expect(reasonOf(await person(cognito, { aud: api }, { clients: undefined }))).toBe('admitted');
  });

  test('is no reason to do without an audience elsewhere', async () => {
    const clients = ['my_client_id'];
    expect(reasonOf(await person(auth0, { aud: undefined }, { clients }))).toBe('audience_refused');
  });
});

describe('scopes from roles', () => {
  const roleScopes = new Map([
    ['admin', ['a', 'b', 'c']],
    ['reader', ['a']],
  ]);
  const claims = { role: ['roles'] };

  test('come beside those of the token, each once', async () => {
    const held = { roles: ['reader', 'admin', 'nobody-mapped'], scp: ['z', 'a'] };
    const principal = principalOf(await person(hydra, held, { roleScopes, claims }));
    expect(principal.scopeKey).toBe('a b c z');
    // What the token itself lists is what is handed on as its scopes.
    expect(principal.tokenScopes).toEqual(['z', 'a']);
  });

  test('stay under the ceiling of the issuer', async () => {
    const principal = principalOf(
      await person(hydra, { roles: ['admin'], scp: [] }, { roleScopes, claims, scopesCeiling: ['b'] }),
    );
    expect(principal.scopeKey).toBe('b');
  });

  test.each([['constructor'], ['__proto__'], ['toString']])('are none for the role %s', async (role) => {
    const principal = principalOf(await person(hydra, { roles: [role], scp: [] }, { roleScopes, claims }));
    expect(principal.scopeKey).toBe('');
  });

  test('do not come from a role of two words that begins with a known one', async () => {
    const principal = principalOf(
      await person(hydra, { roles: 'admin reader', scp: [] }, { roleScopes, claims }),
    );
    expect(principal.scopeKey).toBe('');
  });
});
