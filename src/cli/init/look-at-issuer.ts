import { wellKnownUrls } from '#auth/discovery.ts';
import type { JsonObject } from '#kernel/json.ts';
import { stringAt } from '#kernel/json.ts';
import { err } from '#kernel/result.ts';
import { inspectTls } from '#outbound/inspect-tls.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { type Examined, examine } from '../doctor/examine.ts';
import type { Known } from '../doctor/finding.ts';
import { createProbe } from '../doctor/probe.ts';
import { createWatchStream } from '../doctor/watch-stream.ts';
import type { DraftIssuer } from './draft.ts';
import { guessPreset } from './guess-preset.ts';

/** What an issuer says of itself, before anything is judged. */
export interface SeenIssuer {
  /** As it spells itself, where that differs by a slash alone. */
  readonly url: string;
  readonly metadata: JsonObject | undefined;
  readonly preset: DraftIssuer['preset'];
}

/** Finds the metadata of an issuer as people type it: a slash more or less at the end is put right. */
export async function seeIssuer(typed: string): Promise<SeenIssuer> {
  const outbound = createOutbound();
  const probe = createProbe(outbound);
  try {
    for (const url of [typed, typed.endsWith('/') ? typed.slice(0, -1) : `${typed}/`].flatMap(
      wellKnownUrls,
    )) {
      const answer = await probe('GET', url);
      if (!answer.ok) break;
      const { status, json } = answer.value;
      const named = status === 200 && json !== undefined ? stringAt(json, 'issuer') : undefined;
      if (named === undefined) continue;
      const isSame = named.replace(/\/$/, '') === typed.replace(/\/$/, '');
      const found = isSame ? named : typed;
      return { url: found, metadata: json, preset: guessPreset(found, json) };
    }
    return { url: typed, metadata: undefined, preset: guessPreset(typed, undefined) };
  } finally {
    await outbound.close();
  }
}

/** The doctor's steps about an issuer, each told as it is taken. */
export async function checkIssuer(
  gatewayUrl: string,
  { url, preset, audience, clients }: DraftIssuer,
  scopes: readonly string[],
  say: (examined: Examined) => void,
): Promise<readonly Examined[]> {
  const outbound = createOutbound();
  const taken: Examined[] = [];
  const issuer = {
    url,
    preset,
    ...(audience.length > 0 && { audience }),
    ...(clients.length > 0 && { clients }),
  };
  const options = {
    canonicalUrl: gatewayUrl,
    issuers: [issuer],
    baselineScopes: [],
    challengeScopes: scopes,
    plans: new Map(),
    scopeImplies: new Map(),
    requiredPool: undefined,
  };
  const start: Known = {
    url: gatewayUrl,
    options,
    askedScopes: scopes,
    addresses: [],
    origin: undefined,
    isOriginNamed: false,
    proxy: undefined,
    gatewayAheadSeconds: undefined,
    issuer,
    metadata: undefined,
    keySet: undefined,
    clockAheadSeconds: undefined,
    token: undefined,
    doubt: undefined,
    session: undefined,
  };
  try {
    await examine(
      { start, hasGateway: false, isConfigured: true, signIn: undefined, backends: [] },
      {
        probe: createProbe(outbound),
        watch: createWatchStream(outbound),
        inspectTls,
        resolve: async () => err('ENOTFOUND'),
        now: Date.now,
        listenMs: 0,
        note: () => {},
      },
      (examined) => {
        taken.push(examined);
        say(examined);
      },
    );
    return taken;
  } finally {
    await outbound.close();
  }
}
