import type { Clock } from '#kernel/clock.ts';
import { isJsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { isRpcId, type RpcId, type RpcMessage } from '#wire/json-rpc.ts';
import { metaKeys } from '#wire/protocol.ts';
import type { PeerMessage } from './channel.ts';
import { type AskPeerQuestion, answerPeer } from './peer-requests.ts';

export type PeerNotification = Extract<RpcMessage, { kind: 'notification' }>;

/** What a request under way wants to hear, and whether it can be asked something. */
export interface Listener {
  /** Whose call it is: what the server says without naming a call may be about it. Undefined: a list, a stream. */
  readonly caller: string | undefined;
  readonly onNotification: (notification: PeerNotification) => void;
  readonly onQuestion: AskPeerQuestion | undefined;
}

export interface InboxDeps {
  readonly clock: Clock;
  /** Whether the server may ask at all: the modern era has no requests of a server's. */
  readonly mayAsk: () => boolean;
  readonly reply: (text: string) => Promise<void>;
  /** What belongs to no request. */
  readonly onNotification: (notification: PeerNotification) => void;
}

/** Takes the messages of one connection to where they belong (R26); ids are those of requests on this connection. */
export interface Inbox {
  enter(id: RpcId, listener: Listener): void;
  /** `wasGivenUp`: the server may be at work on it still, whatever it was told. */
  leave(id: RpcId, wasGivenUp: boolean): void;
  /** `id`: on whose own stream it came. */
  take(message: PeerMessage, id: RpcId | undefined): void;
  size(): number;
  /** Another process or session from now on: nothing that was begun goes on, and no answer is due there. */
  fresh(): void;
  /** Questions that wait for an answer are answered with an error. */
  close(): void;
}

/** Questions under answer at one time on one connection. */
const maxQuestions = 32;
/** No call takes longer, so what is said later is about no call that was given up before. */
const givenUpMs = limits.maxCallTimeoutMs;

export function createInbox(deps: InboxDeps): Inbox {
  const listeners = new Map<RpcId, Listener>();
  const questions = new Map<RpcId, AbortController>();

  /** Callers who gave a call up -> until when the server may still ask or tell something about it. */
  const givenUp = new Map<string, number>();

  /**
   * Where the server does not say which call it means, only a single one can be meant; and nobody is asked what another's
   * call, given up but still at work, may have caused.
   */
  function onlyCall(): Listener | undefined {
    const calls = [...listeners.values()].filter(({ caller }) => caller !== undefined);
    const [only] = calls;
    if (only === undefined || calls.length > 1) return undefined;
    const now = deps.clock.monotonic();
    for (const [caller, until] of givenUp) {
      if (until < now) givenUp.delete(caller);
      else if (caller !== only.caller) return undefined;
    }
    return only;
  }

  function listenerOf(id: RpcId | undefined): Listener | undefined {
    return id === undefined ? onlyCall() : listeners.get(id);
  }

  async function asked(
    request: Extract<RpcMessage, { kind: 'request' }>,
    on: RpcId | undefined,
  ): Promise<void> {
    if (!deps.mayAsk() || questions.size >= maxQuestions || questions.has(request.id)) return;
    const stop = new AbortController();
    questions.set(request.id, stop);
    const text = await answerPeer(request, listenerOf(on)?.onQuestion, stop.signal);
    // Where the process is another one by now, the same id is another question.
    if (questions.get(request.id) !== stop) return;
    // It counts until its answer is out: a flood of them is dropped, not answered.
    await deps.reply(text);
    if (questions.get(request.id) === stop) questions.delete(request.id);
  }

  function notified(notification: PeerNotification, on: RpcId | undefined): void {
    const { method, params } = notification;
    switch (method) {
      case 'notifications/progress': {
        const { progressToken: token } = params;
        if (typeof token === 'number') listeners.get(token)?.onNotification(notification);
        return;
      }
      case 'notifications/message':
        listenerOf(on)?.onNotification(notification);
        return;
      case 'notifications/subscriptions/acknowledged': {
        const id = on ?? subscriptionOf(notification);
        if (id !== undefined) listeners.get(id)?.onNotification(notification);
        return;
      }
      case 'notifications/cancelled': {
        const { requestId } = params;
        if (typeof requestId === 'string' || typeof requestId === 'number') questions.get(requestId)?.abort();
        return;
      }
      default:
        deps.onNotification(notification);
    }
  }

  return {
    enter: (id, listener) => void listeners.set(id, listener),
    leave(id, wasGivenUp) {
      const caller = listeners.get(id)?.caller;
      listeners.delete(id);
      if (!wasGivenUp || caller === undefined) return;
      givenUp.delete(caller);
      givenUp.set(caller, deps.clock.monotonic() + givenUpMs);
    },
    take({ message }, id) {
      if (message.kind === 'notification') notified(message, id);
      if (message.kind === 'request') void asked(message, id);
    },
    size: () => listeners.size,
    fresh() {
      for (const stop of questions.values()) stop.abort();
      questions.clear();
      givenUp.clear();
    },
    close() {
      for (const stop of questions.values()) stop.abort();
    },
  };
}

/** Where there is one stream for all, a subscription is named by the id of the request that began it. */
function subscriptionOf({ params }: PeerNotification): RpcId | undefined {
  const id = isJsonObject(params._meta) ? params._meta[metaKeys.subscriptionId] : undefined;
  return isRpcId(id) ? id : undefined;
}
