import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, isStringArray, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Sealer } from '#keys/sealer.ts';
import { addLinkFlow, consumeLinkFlow, sweepLinkFlows } from '#store/link-flow-rows.ts';
import type { Store } from '#store/store.ts';
import type { Grant, GrantOwner } from '../grant.ts';
import { readGrant, writeGrant } from '../grant-text.ts';
import { providerLimits } from './provider-limits.ts';
import { parseServerMetadata, type ServerMetadata } from './server-metadata.ts';

/** Who a flow belongs to: it goes on for nobody else. */
export interface FlowHolder {
  readonly owner: GrantOwner;
  readonly server: string;
  /** A hash of the browser's cookie. */
  readonly browser: string;
}

/** The user is at the provider. */
export interface BegunFlow {
  readonly stage: 'begun';
  readonly metadata: ServerMetadata;
  readonly clientId: string;
  readonly verifier: string;
  readonly resource: string | undefined;
  readonly scopes: readonly string[];
}
/** The user has come back, and is asked whether this is the account. */
export interface AnsweredFlow {
  readonly stage: 'answered';
  readonly grant: Grant;
}
type Flow = BegunFlow | AnsweredFlow;

export interface LinkFlows {
  /** Remembers a flow for ten minutes; returns the secret that continues it, which is not in the database. */
  add(holder: FlowHolder, flow: Flow): Promise<string>;
  /** Takes the flow, once. `another`: it is somebody else's, and is used up all the same. */
  take<Stage extends Flow['stage']>(
    secret: string,
    holder: FlowHolder,
    stage: Stage,
  ): Promise<Result<Extract<Flow, { readonly stage: Stage }>, 'unknown' | 'another'>>;
}

export function createLinkFlows(deps: {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly clock: Clock;
}): LinkFlows {
  const { store, sealer, clock } = deps;
  return {
    async add(holder, flow) {
      const secret = randomBytes(32).toString('base64url');
      const id = idOf(secret);
      await sweepLinkFlows(store, clock.now());
      const expiresAt = clock.now() + providerLimits.flowLifetimeMs;
      const sealed = sealer.seal('link_flow', [id], writeFlow(holder, flow));
      await addLinkFlow(store, { id, sealed, expiresAt });
      return secret;
    },

    async take(secret, holder, stage) {
      const id = idOf(secret);
      const sealed = await consumeLinkFlow(store, id, clock.now());
      const opened = sealed === undefined ? undefined : sealer.open('link_flow', [id], sealed);
      const parsed = opened?.ok ? parseJson(opened.value) : undefined;
      if (!parsed?.ok || !isJsonObject(parsed.value)) return err('unknown');
      const { owner, server, browser } = parsed.value;
      if (owner !== holder.owner.key || server !== holder.server || browser !== holder.browser)
        return err('another');
      const flow = readFlow(parsed.value);
      return flow !== undefined && isAt(flow, stage) ? ok(flow) : err('unknown');
    },
  };
}

function isAt<Stage extends Flow['stage']>(
  flow: Flow,
  stage: Stage,
): flow is Extract<Flow, { readonly stage: Stage }> {
  return flow.stage === stage;
}

function idOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function writeFlow({ owner, server, browser }: FlowHolder, flow: Flow): string {
  const held = { owner: owner.key, server, browser };
  if (flow.stage === 'begun') return JSON.stringify({ ...held, ...flow });
  return JSON.stringify({ ...held, stage: flow.stage, grant: writeGrant(flow.grant) });
}

function readFlow(value: JsonObject): Flow | undefined {
  if (value.stage === 'answered') {
    const grant = readGrant(stringAt(value, 'grant') ?? '');
    return grant === undefined ? undefined : { stage: 'answered', grant };
  }
  const metadata = isJsonObject(value.metadata) ? parseServerMetadata(value.metadata) : undefined;
  const clientId = stringAt(value, 'clientId');
  const verifier = stringAt(value, 'verifier');
  const { scopes } = value;
  if (metadata === undefined || clientId === undefined || verifier === undefined) return undefined;
  if (!isStringArray(scopes)) return undefined;
  return { stage: 'begun', metadata, clientId, verifier, resource: stringAt(value, 'resource'), scopes };
}
