import type { BackendFailure } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import { isPlain } from '#contract/header-text.ts';
import { isJsonObject, isStringArray, type JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { notificationText, type RpcId, requestText } from '#wire/json-rpc.ts';
import {
  type Era,
  isLegacyRevision,
  isModernRevision,
  legacyRevisions,
  modernRevisions,
} from '#wire/protocol.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';
import type { Wire, WireAnswer } from './channel.ts';
import { errorOf, isModernError } from './era-signs.ts';
import { type ClientInfo, modernHeaders, modernParams } from './modern-request.ts';
import { rpcFailure } from './rpc-failure.ts';
import type { Verdict } from './verdict.ts';

/** What a server and we agreed on: by `server/discover`, or by `initialize`. */
export interface Agreed {
  readonly era: Era;
  readonly revision: string;
  /** Of the server. Undefined: not asked yet; a modern server whose era was known needs no question. */
  readonly capabilities: JsonObject | undefined;
  /** Legacy, HTTP: goes with every message. */
  readonly session: string | undefined;
}

export interface AgreeOptions {
  readonly clientInfo: ClientInfo;
  readonly verdict: Verdict;
  /** Of each message. */
  readonly timeoutMs: number;
  /** After this long a child process that does not answer `server/discover` is taken for legacy. */
  readonly probeMs: number;
  readonly nextId: () => RpcId;
}

/** Before the session says which revision holds; the same wire format, for what is still about. */
const oldestRevision = '2024-11-05';
const maxBytes = 1024 * 1024;
const maxSessionLength = 4_096;

/** All that a server of the legacy era may ask; who calls decides later whether it is asked. */
const offeredCapabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} } as const;

/** Finds out how to talk with a server (R40): modern first, `initialize` where it shows itself to be legacy. */
export async function agree(
  wire: Wire,
  options: AgreeOptions,
  signal: AbortSignal,
): Promise<Result<Agreed, BackendFailure>> {
  const known = options.verdict.current();
  if (known?.era === 'modern') {
    return ok({ era: 'modern', revision: known.revision, capabilities: undefined, session: undefined });
  }
  const agreed =
    known === undefined ? await probe(wire, options, signal) : await initialize(wire, options, signal);
  if (agreed.ok) options.verdict.found(agreed.value);
  return agreed;
}

async function probe(
  wire: Wire,
  options: AgreeOptions,
  signal: AbortSignal,
): Promise<Result<Agreed, BackendFailure>> {
  const [revision] = modernRevisions;
  let found = await discover(wire, options, revision, signal);
  // Some refuse the very revision that they name as supported, until it is asked for again.
  if (found.ok && found.value.again) found = await discover(wire, options, revision, signal);
  if (!found.ok) return found;
  return found.value.agreed === undefined ? initialize(wire, options, signal) : ok(found.value.agreed);
}

interface Probed {
  /** Undefined: not of the modern era. */
  readonly agreed: Agreed | undefined;
  readonly again: boolean;
}
const isLegacy: Probed = { agreed: undefined, again: false };

/** `server/discover`; err where the answer decides nothing: 401, 403, 5xx, a time-out. */
async function discover(
  wire: Wire,
  options: AgreeOptions,
  revision: string,
  signal: AbortSignal,
): Promise<Result<Probed, BackendFailure>> {
  const isDuplex = wire.http === undefined;
  const answered = await askDiscover(wire, options, revision, signal);
  if (!answered.ok) {
    const isSilent = isDuplex && answered.error.reason === 'timeout' && !signal.aborted;
    return isSilent ? ok(isLegacy) : answered;
  }
  const answer = answered.value;
  if (answer.status >= 500) return err(failure('failed', { status: answer.status }));
  const agreed: Agreed = { era: 'modern', revision, capabilities: undefined, session: undefined };
  const result = resultOf(answer);
  if (result !== undefined) {
    if (!isStringArray(result.supportedVersions)) return ok(isLegacy);
    if (!result.supportedVersions.some(isModernRevision)) return withoutCommon(result.supportedVersions);
    const capabilities = isJsonObject(result.capabilities) ? result.capabilities : {};
    return ok({ agreed: { ...agreed, capabilities }, again: false });
  }
  const error = errorOf(answer);
  if (error?.code === rpcErrors.unsupportedProtocolVersion) {
    const supported = isJsonObject(error.data) ? error.data.supported : undefined;
    if (!isStringArray(supported)) return ok(isLegacy);
    return supported.some(isModernRevision) ? ok({ agreed, again: true }) : withoutCommon(supported);
  }
  const isModern = isDuplex ? isModernCode(error) : isModernError(answer);
  return ok(isModern ? { agreed, again: false } : isLegacy);
}

function isModernCode(error: JsonObject | undefined): boolean {
  return error?.code === rpcErrors.headerMismatch || error?.code === rpcErrors.missingClientCapability;
}

function withoutCommon(supported: readonly string[]): Result<Probed, BackendFailure> {
  if (supported.some(isLegacyRevision)) return ok(isLegacy);
  return err(failure('failed', { message: 'The server speaks no revision of MCP that the gateway does.' }));
}

/** Asks a modern server what it can do. */
export async function askDiscover(
  wire: Wire,
  { clientInfo, nextId, timeoutMs, probeMs }: AgreeOptions,
  revision: string,
  signal: AbortSignal,
): Promise<Result<WireAnswer, BackendFailure>> {
  const method = 'server/discover';
  const extras = { capabilities: {}, progressToken: undefined, logLevel: undefined, trace: {} };
  const id = nextId();
  return wire.request({
    ...plain,
    id,
    text: requestText(id, method, modernParams({}, revision, clientInfo, extras)),
    headers: modernHeaders(revision, method, {}),
    isRepeatable: true,
    timeoutMs: wire.http === undefined ? probeMs : timeoutMs,
    signal,
  });
}

async function initialize(
  wire: Wire,
  { clientInfo, nextId, timeoutMs }: AgreeOptions,
  signal: AbortSignal,
): Promise<Result<Agreed, BackendFailure>> {
  const id = nextId();
  const [protocolVersion] = legacyRevisions;
  const answered = await wire.request({
    ...plain,
    id,
    text: requestText(id, 'initialize', {
      protocolVersion,
      capabilities: offeredCapabilities,
      clientInfo: { ...clientInfo },
    }),
    headers: {},
    isRepeatable: false,
    timeoutMs,
    signal,
  });
  if (!answered.ok) return answered;
  const result = resultOf(answered.value);
  if (result === undefined) return err(refusedInitialize(answered.value));
  const revision = result.protocolVersion;
  if (typeof revision !== 'string' || !(isLegacyRevision(revision) || revision === oldestRevision)) {
    return err(failure('failed', { message: 'The server speaks no revision of MCP that the gateway does.' }));
  }
  const session = answered.value.headers.get('mcp-session-id');
  if (session !== undefined && !(isPlain(session) && session.length <= maxSessionLength)) {
    return err(failure('failed', { message: 'The server gave a session id that no header can carry.' }));
  }
  const capabilities = isJsonObject(result.capabilities) ? result.capabilities : {};
  const agreed: Agreed = { era: 'legacy', revision, capabilities, session };
  const told = await wire.send({
    text: notificationText('notifications/initialized', {}),
    headers: legacyHeaders(agreed),
    timeoutMs,
  });
  return told.ok ? ok(agreed) : told;
}

/** What goes with every message of a legacy session. */
export function legacyHeaders({ revision, session }: Agreed): Record<string, string> {
  return {
    'MCP-Protocol-Version': revision,
    ...(session === undefined ? {} : { 'Mcp-Session-Id': session }),
  };
}

function refusedInitialize(answer: WireAnswer): BackendFailure {
  const error = errorOf(answer);
  if (error !== undefined) return { ...rpcFailure(error), reason: 'failed' };
  const { status } = answer;
  return failure('failed', { status, message: `The server did not take part in MCP (status ${status}).` });
}

export function resultOf(answer: WireAnswer): JsonObject | undefined {
  const message = answer.response?.message;
  return message?.kind === 'response' ? message.result : undefined;
}

const plain = { isResumable: false, lane: 'call', maxBytes, onMessage: () => {} } as const;
