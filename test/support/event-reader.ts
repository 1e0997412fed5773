import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { stopwatch } from './stopwatch.ts';

/** One event stream, read as a client reads it. */
export interface EventReader {
  readonly response: Response;
  /** The next message; throws after `timeoutMs`, or when the stream has ended. */
  next(timeoutMs?: number): Promise<JsonObject>;
  /** The next message of this method; others before it are dropped. */
  nextOf(method: string, timeoutMs?: number): Promise<JsonObject>;
  /** What arrives within `ms`. */
  within(ms: number): Promise<readonly JsonObject[]>;
  /** The messages until the server ends the stream; throws after `timeoutMs`. */
  rest(timeoutMs?: number): Promise<readonly JsonObject[]>;
  /** Comments so far: the keep-alives. */
  readonly comments: readonly string[];
  readonly hasEnded: boolean;
  /** The client goes away. */
  close(): Promise<void>;
}

const patienceMs = 20_000;

export function readEvents(response: Response): EventReader {
  if (response.body === null) throw new Error(`no body: ${response.status}`);
  const reader = response.body.getReader();
  const messages: JsonObject[] = [];
  const comments: string[] = [];
  let hasEnded = false;
  let wake = () => {};

  async function pump(): Promise<void> {
    const decoder = new TextDecoder();
    let buffered = '';
    try {
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        buffered += decoder.decode(chunk.value, { stream: true });
        const blocks = buffered.split('\n\n');
        buffered = blocks.pop() ?? '';
        for (const block of blocks) take(block);
        wake();
      }
    } catch {
      // Cut off: for a reader that is an end like any other.
    }
    hasEnded = true;
    wake();
  }

  function take(block: string): void {
    if (block.startsWith(':')) {
      comments.push(block);
      return;
    }
    const data = block
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => line.slice(6))
      .join('\n');
    const message: unknown = JSON.parse(data);
    if (!isJsonObject(message)) throw new Error(`not a message: ${data}`);
    messages.push(message);
  }
  void pump();

  /** Whether something happened before the deadline. */
  async function changed(deadline: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    wake = () => resolve(true);
    const timer = setTimeout(() => resolve(false), Math.max(0, deadline - performance.now()));
    const hasChanged = await promise;
    clearTimeout(timer);
    return hasChanged;
  }

  async function next(timeoutMs = patienceMs): Promise<JsonObject> {
    const deadline = performance.now() + timeoutMs;
    while (messages.length === 0) {
      if (hasEnded) throw new Error('the stream has ended');
      if (!(await changed(deadline))) throw new Error(`no message within ${timeoutMs} ms`);
    }
    const message = messages.shift();
    if (message === undefined) throw new Error('no message');
    return message;
  }

  return {
    response,
    next,
    async nextOf(method, timeoutMs = patienceMs) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const message = await next(Math.max(0, deadline - performance.now()));
        if (message.method === method) return message;
      }
    },
    async within(ms) {
      const elapsedMs = stopwatch();
      do await Bun.sleep(ms - elapsedMs());
      while (elapsedMs() < ms);
      return messages.splice(0);
    },
    async rest(timeoutMs = patienceMs) {
      const deadline = performance.now() + timeoutMs;
      while (!hasEnded) {
        if (!(await changed(deadline))) throw new Error(`the stream is open after ${timeoutMs} ms`);
      }
      return messages.splice(0);
    },
    comments,
    get hasEnded() {
      return hasEnded;
    },
    close: () => reader.cancel(),
  };
}
