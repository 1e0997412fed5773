import { createAuthenticator } from '#auth/authenticate.ts';
import { type AuthRefusalReason, authRefusalReasons } from '#auth/refusal.ts';
import { readSnapshot } from '#catalog/read-snapshot.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import type { OwnHalf } from '#catalog/why-hidden.ts';
import type { Config } from '#config/config.ts';
import type { LoadedConfig } from '#config/load-config.ts';
import { authOptionsOf } from '#gateway-options.ts';
import { systemClock } from '#kernel/clock.ts';
import { isJsonObject, isStringArray, type JsonObject, stringAt } from '#kernel/json.ts';
import { silentLog } from '#kernel/log.ts';
import { createFetchJson } from '#outbound/fetch-json.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { askOperation } from './ask-operation.ts';
import { controlPath } from './control-client.ts';
import { refusalFix } from './doctor/refusal-fix.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { requireTrusted } from './require-config.ts';

/** Whose token it is, to the gateway. */
export interface TokenHolder {
  readonly issuer: string;
  readonly subject: string;
  readonly client: string | undefined;
  readonly scopes: ReadonlySet<string>;
  readonly plan: string | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}
export interface TokenRefused {
  readonly reason: string;
  readonly detail: string | undefined;
  readonly fix: string;
}

/** What becomes of an access token at the gateway's door. */
export interface TokenSight {
  /** `gateway`: the running one said so. `here`: judged by the configuration, without revocations and linked accounts. */
  readonly by: 'gateway' | 'here';
  readonly holder: TokenHolder | undefined;
  readonly refused: TokenRefused | undefined;
  /** What servers list to this person alone, as a catalog of its own. */
  readonly own: (Snapshot & OwnHalf) | undefined;
}

const withinMs = 30_000;

/** Asks the running gateway who the holder is, else judges the token by the configuration. */
export async function sightOfToken(loaded: LoadedConfig, token: string): Promise<TokenSight> {
  requireTrusted(loaded);
  const { config } = loaded;
  const asked = await askOperation(controlPath(config.stateDir), '/sight', { token }, withinMs);
  if (asked === undefined) return judgeHere(config, token);
  if (!asked.ok) throw new UserError(asked.error.message, { exitCode: exitCodes.no, next: 'cortex status' });
  const { who, refused } = asked.value;
  if (isJsonObject(refused)) {
    const reason = stringAt(refused, 'reason') ?? '';
    return {
      by: 'gateway',
      holder: undefined,
      refused: refusedFor(reason, stringAt(refused, 'detail')),
      own: undefined,
    };
  }
  const holder = isJsonObject(who) ? readHolder(who) : undefined;
  if (holder === undefined) throw anotherVersion();
  return { by: 'gateway', holder, refused: undefined, own: readOwn(asked.value) };
}

/** The same gates as at the door, but for what only a running gateway knows. */
async function judgeHere(config: Config, token: string): Promise<TokenSight> {
  const outbound = createOutbound();
  const authenticator = createAuthenticator({
    options: authOptionsOf(config),
    fetchJson: createFetchJson(outbound),
    outbound,
    dpop: { prove: () => Promise.reject(new Error('no proof was sent')), nonce: () => '' },
    denyList: { denies: () => undefined, onDenied: () => () => {}, sawToken() {} },
    clock: systemClock,
    log: silentLog,
  });
  try {
    const headers = { get: (name: string) => (name === 'authorization' ? `Bearer ${token}` : null) };
    const identified = await authenticator.authenticate(headers, { search: '' });
    if (!identified.ok) {
      const { reason, detail } = identified.error;
      return { by: 'here', holder: undefined, refused: refusedFor(reason, detail), own: undefined };
    }
    const { issuer, subject, clientId: client, scopes, plan, expiresAt } = identified.value;
    const holder = { issuer, subject, client, scopes, plan, expiresAt };
    return { by: 'here', holder, refused: undefined, own: undefined };
  } finally {
    authenticator.close();
    await outbound.close();
  }
}

function refusedFor(reason: string, detail: string | undefined): TokenRefused {
  const known: AuthRefusalReason | undefined = authRefusalReasons.find((one) => one === reason);
  const fix = known === undefined ? 'restart the gateway: it is newer than this command' : refusalFix(known);
  return { reason, detail, fix: `${fix}; claim by claim: cortex doctor --token -` };
}

function readHolder(who: JsonObject): TokenHolder | undefined {
  const { scopes, expires_at: expiresAt } = who;
  const issuer = stringAt(who, 'issuer');
  const subject = stringAt(who, 'subject');
  if (
    issuer === undefined ||
    subject === undefined ||
    !isStringArray(scopes) ||
    typeof expiresAt !== 'number'
  )
    return undefined;
  const client = stringAt(who, 'client');
  return { issuer, subject, client, scopes: new Set(scopes), plan: stringAt(who, 'plan'), expiresAt };
}

function readOwn({ own, links, late }: JsonObject): (Snapshot & OwnHalf) | undefined {
  if (own === undefined) return undefined;
  const read = readSnapshot(own);
  if (!read.ok || !isJsonObject(links) || !isStringArray(late)) throw anotherVersion();
  const named = Object.entries(links).flatMap(([server, tool]): readonly (readonly [string, string])[] =>
    typeof tool === 'string' ? [[server, tool]] : [],
  );
  return { ...read.value, links: new Map(named), late: new Set(late) };
}

function anotherVersion(): UserError {
  return new UserError('the running gateway is of another version than this command', {
    exitCode: exitCodes.no,
    next: 'restart the gateway, then try again',
  });
}

/** Everything that one person sees some of: what is listed to all, and what is listed to this person alone. */
export function withOwn(snapshot: Snapshot, own: Snapshot | undefined): Snapshot {
  if (own === undefined) return snapshot;
  const merged = <T>(all: ReadonlyMap<string, T>, some: ReadonlyMap<string, T>) =>
    new Map([...all, ...some].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    ...snapshot,
    tools: merged(snapshot.tools, own.tools),
    prompts: merged(snapshot.prompts, own.prompts),
    resources: merged(snapshot.resources, own.resources),
    templates: [...snapshot.templates, ...own.templates],
    backends: new Map([...own.backends, ...snapshot.backends]),
  };
}
