import { readPeerMessage, readResponseBody } from '#adapter/peer-message.ts';
import type { RpcId, RpcMessage } from '#wire/json-rpc.ts';
import type { Upstream, UpstreamAnswer } from './upstream.ts';

export interface AskedUpstream {
  readonly id: RpcId;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly isStream: boolean;
  readonly isRepeatable: boolean;
  readonly isBackground?: boolean;
  /** Whatever comes before the response: notifications, and questions of the gateway's. */
  readonly onMessage: (text: string, message: RpcMessage) => void;
}

/** One request and its response, whichever way it came. */
export interface Exchanged {
  readonly answer: UpstreamAnswer;
  /** As it came, and what it says. */
  readonly response:
    | { readonly text: string; readonly message: RpcMessage & { readonly kind: 'response' } }
    | undefined;
}

export async function exchange(upstream: Upstream, asked: AskedUpstream): Promise<Exchanged> {
  let response: Exchanged['response'];
  const answer = await upstream.send({
    method: 'POST',
    body: asked.text,
    headers: asked.headers,
    signal: asked.signal,
    isStream: asked.isStream,
    isRepeatable: asked.isRepeatable,
    ...(asked.isBackground === true && { isBackground: true }),
    onData(data) {
      const read = readPeerMessage(data);
      if (typeof read === 'string') return false;
      const { message } = read;
      // What answers another request has no business here.
      if (message.kind !== 'response') asked.onMessage(oneLine(data), message);
      else if (message.id === asked.id) response = { text: oneLine(data), message };
      return response !== undefined;
    },
  });
  if (answer.kind === 'answered' && !answer.wasStream) {
    const read = readResponseBody(answer.body, asked.id);
    if (read?.message.kind === 'response') response = { text: oneLine(read.text), message: read.message };
  }
  return { answer, response };
}

/** Why a response is an error, as its code says; undefined for a result. */
export function errorCodeOf({ response }: Exchanged): number | undefined {
  const code = response?.message.error?.code;
  return typeof code === 'number' ? code : undefined;
}

/** In words for whoever gets no response. */
export function whyNone({ answer }: Exchanged, method: string): string {
  if (answer.kind === 'answered')
    return answer.wasStream ? cutWords(method) : `The gateway answered with status ${answer.status}.`;
  return answer.wasSent
    ? `${cutWords(method)} ${answer.detail}`
    : `The gateway cannot be reached: ${answer.detail}.`;
}

function cutWords(method: string): string {
  return method === 'tools/call'
    ? 'The connection broke before the answer came: the call may have been done. Look before you repeat it.'
    : 'The connection broke before the answer came.';
}

/** A message is a line: line ends inside one can only be white space between its parts. */
export function oneLine(text: string): string {
  return text.includes('\n') || text.includes('\r') ? text.replaceAll(/[\r\n]+/g, ' ') : text;
}
