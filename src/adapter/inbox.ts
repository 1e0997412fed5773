import type { RpcId, RpcMessage } from '#wire/json-rpc.ts';
import type { PeerMessage } from './channel.ts';
import { type AskPeerQuestion, answerPeer } from './peer-requests.ts';

export type PeerNotification = Extract<RpcMessage, { kind: 'notification' }>;

/** What a request under way wants to hear, and whether it can be asked something. */
export interface Listener {
  /** A user's call: what the server says without naming a call may be about it. */
  readonly isCall: boolean;
  readonly onNotification: (notification: PeerNotification) => void;
  readonly onQuestion: AskPeerQuestion | undefined;
}

export interface InboxDeps {
  /** Whether the server may ask at all: the modern era has no requests of a server's. */
  readonly mayAsk: () => boolean;
  readonly reply: (text: string) => void;
  /** What belongs to no request. */
  readonly onNotification: (notification: PeerNotification) => void;
}

/** Takes the messages of one connection to where they belong (R26); ids are those of requests on this connection. */
export interface Inbox {
  enter(id: RpcId, listener: Listener): void;
  leave(id: RpcId): void;
  /** `id`: on whose own stream it came. */
  take(message: PeerMessage, id: RpcId | undefined): void;
  size(): number;
  /** Questions that wait for an answer are answered with an error. */
  close(): void;
}

/** Questions under answer at one time on one connection. */
const maxQuestions = 32;

export function createInbox(deps: InboxDeps): Inbox {
  const listeners = new Map<RpcId, Listener>();
  const questions = new Map<RpcId, AbortController>();

  /** Where the server does not say which call it means, only a single one can be meant. */
  function onlyCall(): Listener | undefined {
    const calls = [...listeners.values()].filter(({ isCall }) => isCall);
    return calls.length === 1 ? calls[0] : undefined;
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
    questions.delete(request.id);
    deps.reply(text);
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
      case 'notifications/subscriptions/acknowledged':
        if (on !== undefined) listeners.get(on)?.onNotification(notification);
        return;
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
    leave: (id) => void listeners.delete(id),
    take({ message }, id) {
      if (message.kind === 'notification') notified(message, id);
      if (message.kind === 'request') void asked(message, id);
    },
    size: () => listeners.size,
    close() {
      for (const stop of questions.values()) stop.abort();
    },
  };
}
