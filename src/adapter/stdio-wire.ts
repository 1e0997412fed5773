import type { BackendFailure, IdentityMode } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import { parseJson } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { parseMessage, type RpcId } from '#wire/json-rpc.ts';
import {
  type PeerMessage,
  timeIsUp,
  type Wire,
  type WireAnswer,
  type WireEvents,
  type WireRequest,
} from './channel.ts';
import { createLineSplitter } from './stdio-lines.ts';

export interface StdioWireOptions {
  readonly mode: IdentityMode;
  readonly maxLineBytes: number;
}

/** What the wire needs of the child below it. */
export interface StdioPipe {
  send(text: string): boolean;
  stop(): Promise<void>;
  /** It speaks something else: it is ended as if it had crashed. */
  giveUp(): void;
}

export interface StdioWire {
  readonly wire: Wire;
  /** From the child's stdout. */
  take(chunk: Uint8Array): void;
  /** The child is gone: every request under way fails, then the events are told. */
  ended(): void;
}

/** Requests in a row that ran out of time while it said nothing at all: it hangs, and would for ever. */
const maxTimeoutsInSilence = 3;
/** A greeting or a stray print is forgiven; a child that says nothing but that is no MCP server. */
const maxUnreadableInARow = 1_000;
const stopped = 'The server stopped in the middle of the call; it is started again for the next one.';

type Outcome = Result<WireAnswer, BackendFailure>;
interface Waiting {
  readonly maxBytes: number;
  settle(outcome: Outcome): void;
}

/** Pairs responses with requests over one child's pipes. A message is one line (MCP basic/transports "stdio"). */
export function createStdioWire(options: StdioWireOptions, pipe: StdioPipe, events: WireEvents): StdioWire {
  const waiting = new Map<RpcId, Waiting>();
  let unreadable = 0;
  let timeoutsInSilence = 0;
  let isOver = false;

  function failAll(outcome: Outcome): void {
    for (const { settle } of [...waiting.values()]) settle(outcome);
  }

  function countUnreadable(): void {
    unreadable += 1;
    if (unreadable === maxUnreadableInARow) giveUp(err(failure('not_json')));
  }

  function giveUp(outcome: Outcome): void {
    isOver = true;
    failAll(outcome);
    pipe.giveUp();
  }

  function timedOut(): void {
    timeoutsInSilence += 1;
    if (timeoutsInSilence === maxTimeoutsInSilence && !isOver) giveUp(err(failure('timeout')));
  }

  function takeLine(text: string): void {
    if (isOver) return;
    timeoutsInSilence = 0;
    const json = parseJson(text);
    const parsed = json.ok ? parseMessage(json.value) : json;
    if (!parsed.ok) {
      countUnreadable();
      return;
    }
    unreadable = 0;
    const message: PeerMessage = { text, message: parsed.value };
    if (parsed.value.kind !== 'response') {
      events.message(message);
      return;
    }
    const asked = waiting.get(parsed.value.id);
    if (asked === undefined) return;
    const bytes = Buffer.byteLength(text);
    asked.settle(
      bytes > asked.maxBytes
        ? err(failure('too_large'))
        : ok({ response: message, status: 200, headers: noHeaders, bytes }),
    );
  }

  const take = createLineSplitter(options.maxLineBytes, {
    line: takeLine,
    unreadable: countUnreadable,
    tooLong(head, tail) {
      const id = idInPart(head) ?? idInPart(tail);
      if (id !== undefined) waiting.get(id)?.settle(err(failure('too_large')));
    },
  });

  function request(asked: WireRequest): Promise<Outcome> {
    if (asked.signal.aborted) return Promise.resolve(err(failure('cancelled')));
    if (isOver) return Promise.resolve(err(failure('unreachable')));
    return new Promise((resolve) => {
      const settle = (outcome: Outcome): void => {
        waiting.delete(asked.id);
        clearTimeout(timer);
        asked.signal.removeEventListener('abort', onAbort);
        resolve(outcome);
      };
      const onAbort = (): void => {
        settle(err(failure('cancelled')));
        if (asked.signal.reason === timeIsUp) timedOut();
      };
      const timer = setTimeout(() => {
        settle(err(failure('timeout')));
        timedOut();
      }, asked.timeoutMs);
      asked.signal.addEventListener('abort', onAbort);
      waiting.set(asked.id, { maxBytes: asked.maxBytes, settle });
      if (!pipe.send(asked.text)) settle(err(failure('unreachable')));
    });
  }

  return {
    wire: {
      http: undefined,
      mode: () => options.mode,
      request,
      send: ({ text }) =>
        Promise.resolve(!isOver && pipe.send(text) ? ok(undefined) : err(failure('unreachable'))),
      async close() {
        isOver = true;
        failAll(err(failure('cancelled')));
        await pipe.stop();
      },
    },
    take,
    ended() {
      isOver = true;
      failAll(err(failure('unreachable', { message: stopped })));
      events.closed();
    },
  };
}

const noHeaders: ReadonlyMap<string, string> = new Map();

/**
 * The id of a response that is too long to be kept, where it is the first member of the message, or its last as the SDKs
 * write it. Our own ids are integers.
 */
function idInPart(part: string): number | undefined {
  const match =
    /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,16})\s*,/.exec(part) ??
    /,\s*"id"\s*:\s*(\d{1,16})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(part);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
