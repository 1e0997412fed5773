import { canonicalJson } from '#kernel/json.ts';
import { type Check, fail, type Kit, pass, skip, type Verdict } from './check.ts';
import { isUnknownMethod } from './list-checks.ts';
import { brief, type ProbeReply } from './probe.ts';

const clause = 'Two kinds of token';
const noIssuer = 'needs tokens of our own making: leave out --token';

/** What stands in for a call that changes nothing: a read-only tool, else whoami. */
export function readCall({ readable }: Kit): {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  return readable === undefined
    ? { method: 'whoami', headers: {} }
    : { method: readable.name, headers: { 'x-cortex-kind': 'tool' } };
}

/** What tells users apart best: whoami, else what stands in for a call. */
export function personalCall(kit: Kit): ReturnType<typeof readCall> {
  return kit.hasWhoami ? { method: 'whoami', headers: {} } : readCall(kit);
}

/** A bad token of each kind is answered 401; any success would be somebody else's data. */
function refuses(
  id: string,
  what: string,
  token: (kit: Kit) => Promise<string | undefined> | string | undefined,
): Check {
  return {
    id: `refuses-${id}`,
    clause,
    title: `${what} is answered 401`,
    async run(kit) {
      const bad = await token(kit);
      if (bad === undefined && id !== 'no-token') return skip(noIssuer);
      return refusalVerdict(await kit.probe({ ...readCall(kit), token: bad }));
    },
  };
}

function refusalVerdict(reply: ProbeReply): Verdict {
  if (reply.status === 401) return pass;
  if (reply.status === 403)
    return { outcome: 'warn', detail: 'answered 403: agents are told to get more rights' };
  if (reply.status === 200) return fail(`it was accepted: ${brief(reply)}`);
  return fail(brief(reply));
}

const nowSeconds = () => Math.floor(Date.now() / 1_000);
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Who calls, and who does not. */
export const identityChecks: readonly Check[] = [
  {
    id: 'accepts-user',
    clause,
    title: 'a good token of a user is accepted',
    async run(kit) {
      const reply = await kit.probe({ ...readCall(kit), token: kit.token });
      if (reply.status === 401) return fail(`${brief(reply)}${trustHint(kit)}`);
      if (kit.readable === undefined && isUnknownMethod(reply)) return pass;
      return reply.status === 200 && reply.json !== undefined ? pass : fail(brief(reply));
    },
  },
  refuses('no-token', 'a call without a token', () => undefined),
  refuses('nonsense', 'what is no token', () => 'nonsense'),
  refuses('unsigned', 'an unsigned token (alg none)', ({ token }) => {
    const [, body = ''] = token.split('.');
    return `${encoded({ alg: 'none', typ: 'JWT' })}.${body}.`;
  }),
  refuses('altered', 'a token that was altered after signing', ({ token }) => {
    const [head, body = '', signature] = token.split('.');
    const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString());
    return `${head}.${encoded({ ...Object(claims), sub: 'somebody-else' })}.${signature}`;
  }),
  refuses('forged', 'a token signed with a key that the issuer never published', ({ issuer, scope }) =>
    issuer?.forge({ sub: 'ada', scope }),
  ),
  refuses('expired', 'an expired token', ({ issuer, scope }) =>
    issuer?.mint({ sub: 'ada', scope, iat: nowSeconds() - 7_200, exp: nowSeconds() - 3_600 }),
  ),
  refuses('without-end', 'a token that never expires', ({ issuer, scope }) =>
    issuer?.mint({ sub: 'ada', scope, exp: undefined }),
  ),
  refuses('wrong-audience', 'a token for another audience', ({ issuer, scope }) =>
    issuer?.mint({ sub: 'ada', scope, aud: 'https://elsewhere.example/mcp' }),
  ),
  refuses('wrong-issuer', 'a token that names another issuer', ({ issuer, scope }) =>
    issuer?.mint({ sub: 'ada', scope, iss: 'https://elsewhere.example' }),
  ),
  {
    id: 'believes-the-token',
    clause: 'Headers',
    title: 'where the X-Cortex headers say something else than the token, the token counts',
    async run(kit) {
      const call = personalCall(kit);
      const plain = await kit.probe({ ...call, token: kit.token });
      const again = await kit.probe({ ...call, token: kit.token });
      if (canonicalJson(plain.json) !== canonicalJson(again.json))
        return skip(`${call.method} never answers the same`);
      const liar = {
        ...call.headers,
        'x-cortex-user-id': 'somebody-else',
        'x-cortex-user-email': 'somebody-else@example.com',
        'x-cortex-user-role': 'admin',
        'x-cortex-scopes': `${kit.scope} admin`,
      };
      const lied = await kit.probe({ ...call, headers: liar, token: kit.token });
      if (plain.status !== 200) return skip('a good call does not succeed');
      const isSame = lied.status === 200 && canonicalJson(lied.json) === canonicalJson(plain.json);
      return isSame ? pass : fail(`with headers that lie: ${brief(lied)}; without: ${brief(plain)}`);
    },
  },
  {
    id: 'two-users',
    clause,
    title: 'two users are told apart',
    async run({ probe, token, otherToken }) {
      if (otherToken === undefined) return skip('needs --token-other');
      const [one, other] = await Promise.all(
        [token, otherToken].map((presented) => probe({ method: 'whoami', token: presented })),
      );
      if (one === undefined || other === undefined || isUnknownMethod(one))
        return skip('whoami is not offered');
      if (one.status !== 200 || other.status !== 200) return fail(brief(one.status === 200 ? other : one));
      const isSame = canonicalJson(one.json) === canonicalJson(other.json);
      return isSame ? fail(`whoami says the same of both: ${brief(one)}`) : pass;
    },
  },
  {
    id: 'scope-missing',
    clause: 'Errors',
    title: 'a call without its scope is answered 403 with the scope in `required`',
    async run(kit) {
      if (kit.issuer === undefined) return skip(noIssuer);
      if (kit.readable === undefined) return skip('no tool is marked readOnlyHint');
      const token = await kit.issuer.mint({ sub: 'ada', scope: 'openid' });
      const reply = await kit.probe({ ...readCall(kit), token });
      if (reply.status === 403) {
        const named = kit.readable.scopes.some((scope) => reply.text.includes(JSON.stringify(scope)));
        return named ? pass : { outcome: 'warn', detail: `\`required\` names no scope: ${brief(reply)}` };
      }
      return reply.status === 200
        ? {
            outcome: 'warn',
            detail: 'it was run: whoever calls you directly with a token of a small plan gets in',
          }
        : fail(brief(reply));
    },
  },
];

function trustHint({ issuer }: Kit): string {
  return issuer === undefined
    ? ''
    : `; have it trust the issuer ${issuer.url} (keys: ${issuer.jwksUri}), as OAUTH_ISSUER of the templates does, and the audience ${issuer.audience}; where it expects another, name that one: --audience URL`;
}
