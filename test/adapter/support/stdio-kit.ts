import { join } from 'node:path';
import type { PeerMessage, Wire, WireAnswer, WireEvents } from '#adapter/channel.ts';
import { createStdioHost, type StdioHost, type StdioServerOptions } from '#adapter/stdio-host.ts';
import type { BackendFailure } from '#backends/backend.ts';
import { type BackendId, isBackendId } from '#kernel/ids.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { type Log, type LogFields, silentLog } from '#kernel/log.ts';
import type { Result } from '#kernel/result.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { requestText } from '#wire/json-rpc.ts';
import { createMovingClock, type MovingClock } from '../../support/moving-clock.ts';

const here = import.meta.dirname;
export const guardCommand = [process.execPath, join(here, '../../../bin/cortex.ts'), 'stdio-guard'];

export function serverId(name: string): BackendId {
  if (!isBackendId(name)) throw new Error(`${name} is no id`);
  return name;
}

/** A child that behaves in this manner; see `stdio-server-child.ts`. */
export function childOptions(manner: string, more: Partial<StdioServerOptions> = {}): StdioServerOptions {
  return {
    id: serverId('files'),
    command: [process.execPath, join(here, 'stdio-server-child.ts'), manner],
    env: new Map(),
    path: process.env.PATH ?? '',
    cwd: undefined,
    process: 'shared',
    mode: 'none',
    maxLineBytes: 1024 * 1024,
    maxChildren: 8,
    ...more,
  };
}

export interface TestHost extends AsyncDisposable {
  readonly host: StdioHost;
  readonly clock: MovingClock;
  readonly logged: readonly (LogFields & { readonly event: string; readonly level: string })[];
  close(): Promise<void>;
}

export function createTestHost(
  more: { readonly maxChildren?: number; readonly guard?: readonly string[] } = {},
): TestHost {
  const logged: (LogFields & { readonly event: string; readonly level: string })[] = [];
  const levels = Object.keys(silentLog).map((level) => [
    level,
    (event: string, fields?: LogFields) => void logged.push({ ...fields, event, level }),
  ]);
  const log: Log = { ...silentLog, ...Object.fromEntries(levels) };
  const clock = createMovingClock();
  const host = createStdioHost({
    guardCommand: more.guard ?? guardCommand,
    maxChildren: more.maxChildren ?? 16,
    log,
    clock,
    random: () => 0,
    schedule: systemSchedule,
  });
  return { host, clock, logged, close: () => host.close(), [Symbol.asyncDispose]: () => host.close() };
}

export interface Heard extends WireEvents {
  readonly messages: readonly PeerMessage[];
  readonly closedTimes: () => number;
}
export function hear(): Heard {
  const messages: PeerMessage[] = [];
  let closed = 0;
  return {
    messages,
    closedTimes: () => closed,
    message: (message) => void messages.push(message),
    closed() {
      closed += 1;
    },
  };
}

let lastId = 0;
export function ask(
  wire: Wire,
  method: string,
  params: JsonObject = {},
  more: { readonly timeoutMs?: number; readonly signal?: AbortSignal; readonly maxBytes?: number } = {},
): Promise<Result<WireAnswer, BackendFailure>> {
  lastId += 1;
  return wire.request({
    id: lastId,
    text: requestText(lastId, method, params),
    headers: {},
    isResumable: false,
    isRepeatable: false,
    lane: 'call',
    timeoutMs: more.timeoutMs ?? 10_000,
    maxBytes: more.maxBytes ?? 1024 * 1024,
    signal: more.signal ?? new AbortController().signal,
    onMessage: () => {
      throw new Error('a duplex wire has no stream of a request’s own');
    },
  });
}

/** The result of a request that must succeed. */
export async function resultOf(asked: Promise<Result<WireAnswer, BackendFailure>>): Promise<JsonObject> {
  const answer = await asked;
  if (!answer.ok) throw new Error(`${answer.error.reason}: ${answer.error.message}`);
  const message = answer.value.response?.message;
  if (message?.kind !== 'response' || message.result === undefined) throw new Error('no result');
  return message.result;
}

/** Why a request failed. */
export async function reasonOf(asked: Promise<Result<unknown, BackendFailure>>): Promise<string> {
  const answer = await asked;
  return answer.ok ? 'it succeeded' : answer.error.reason;
}

export async function opened(
  { host }: TestHost,
  options: StdioServerOptions,
  heard: WireEvents = hear(),
): Promise<Wire> {
  const wire = await host.wires(options).open(undefined, heard, new AbortController().signal);
  if (!wire.ok) throw new Error(`${wire.error.reason}: ${wire.error.message}`);
  return wire.value;
}

/** What the child says of itself. */
export async function aboutChild(wire: Wire): Promise<{
  readonly pid: number;
  readonly pids: readonly number[];
  readonly about: JsonObject;
}> {
  const about = await resultOf(ask(wire, 'about'));
  const pids = Array.isArray(about.pids) ? about.pids.map(Number) : [];
  return { pid: Number(about.pid), pids, about: isJsonObject(about) ? about : {} };
}
