import { isJsonObject, type JsonObject } from '#kernel/json.ts';

export interface Transmitter extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly {
    readonly body: JsonObject;
    readonly authorization: string | null;
    readonly at: number;
  }[];
  /** Waiting for an acknowledgement, by id. */
  readonly waiting: ReadonlyMap<string, string>;
  /** What the receiver could not use, by id. */
  readonly errors: JsonObject;
  offer(id: string, token: string): void;
  /** Ids are taken off the list although they are acknowledged; or not. */
  forgets(doesForget: boolean): void;
  answerWith(answer: (() => Response | Promise<Response>) | undefined): void;
}

/** A sender of security event tokens that are collected (RFC 8936): it waits for events unless told not to. */
export function createTransmitter(): Transmitter {
  const waiting = new Map<string, string>();
  const requests: { body: JsonObject; authorization: string | null; at: number }[] = [];
  const errors: Record<string, JsonObject[string]> = {};
  let doesForget = true;
  let instead: (() => Response | Promise<Response>) | undefined;

  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const body: unknown = await request.json();
      if (!isJsonObject(body)) return new Response(null, { status: 400 });
      requests.push({ body, authorization: request.headers.get('authorization'), at: performance.now() });
      if (instead !== undefined) return instead();
      const { ack, setErrs, maxEvents, returnImmediately } = body;
      if (doesForget) for (const id of Array.isArray(ack) ? ack : []) waiting.delete(String(id));
      for (const [id, error] of Object.entries(isJsonObject(setErrs) ? setErrs : {})) {
        errors[id] = error;
        waiting.delete(id);
      }
      while (waiting.size === 0 && returnImmediately !== true && !request.signal.aborted) await Bun.sleep(5);
      const sets = [...waiting].slice(0, Number(maxEvents));
      return Response.json({ sets: Object.fromEntries(sets), moreAvailable: waiting.size > sets.length });
    },
  });

  return {
    url: `http://127.0.0.1:${server.port}/poll`,
    requests,
    waiting,
    errors,
    offer: (id, token) => void waiting.set(id, token),
    forgets(does) {
      doesForget = does;
    },
    answerWith(answer) {
      instead = answer;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
