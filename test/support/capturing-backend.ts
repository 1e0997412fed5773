/** One request as the backend received it. */
export interface CapturedCall {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
  /** The body as it came. */
  readonly text: string;
  /** Aborted when the caller went away before the answer was complete. */
  readonly signal: AbortSignal;
}

export type Answering = (call: CapturedCall) => Response | Promise<Response>;

export interface CapturingBackendOptions {
  /** What `list_tools` gives; other lists are answered as unknown unless given here. */
  readonly tools?: readonly object[];
  readonly prompts?: readonly object[];
  readonly resources?: readonly object[];
  readonly resourceTemplates?: readonly object[];
  /** Accepted for the lists; any other bearer gets 401 there and, if it is this one, 403 elsewhere. */
  readonly technicalToken?: string;
  readonly port?: number;
}

export interface CapturingBackend extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Every request so far, in order. */
  readonly calls: readonly CapturedCall[];
  callsOf(method: string): readonly CapturedCall[];
  /** Answers one method from now on; the last word counts. A fault is an answer like any other. */
  answer(method: string, answering: Answering): void;
  /** Changes what the lists say. */
  setTools(tools: readonly object[]): void;
  close(): Promise<void>;
}

const lists: ReadonlySet<string> = new Set([
  'list_tools',
  'list_prompts',
  'list_resources',
  'list_resource_templates',
]);

/** An application behind the gateway: answers the contract, and remembers what it was sent. */
export function createCapturingBackend(options: CapturingBackendOptions = {}): CapturingBackend {
  const calls: CapturedCall[] = [];
  const answers = new Map<string, Answering>();
  const technicalToken = options.technicalToken ?? 'technical-token';
  let tools = options.tools ?? [
    { name: 'echo', scope: 'mcp:test', description: 'Gives back its parameters.' },
  ];

  const standard = (call: CapturedCall): Response => {
    if (call.method === 'list_tools') return Response.json({ tools });
    if (call.method === 'list_prompts') return listed('prompts', options.prompts);
    if (call.method === 'list_resources') return listed('resources', options.resources);
    if (call.method === 'list_resource_templates')
      return listed('resourceTemplates', options.resourceTemplates);
    return Response.json({ called: call.method, params: call.params });
  };

  const server = Bun.serve({
    port: options.port ?? 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const text = await request.text();
      const body: unknown = JSON.parse(text);
      if (!isRecord(body) || typeof body.method !== 'string') {
        return Response.json({ error: 'no method' }, { status: 400 });
      }
      const params = isRecord(body.params) ? body.params : {};
      const call = { method: body.method, params, headers: request.headers, text, signal: request.signal };
      calls.push(call);
      const isList = lists.has(call.method);
      const isTechnical = request.headers.get('authorization') === `Bearer ${technicalToken}`;
      if (isList && !isTechnical) return Response.json({ error: 'unknown token' }, { status: 401 });
      if (!isList && isTechnical) return Response.json({ error: 'not for this token' }, { status: 403 });
      return (answers.get(call.method) ?? standard)(call);
    },
  });

  const close = () => server.stop(true);
  return {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port ?? 0,
    calls,
    callsOf: (method) => calls.filter((call) => call.method === method),
    answer: (method, answering) => {
      answers.set(method, answering);
    },
    setTools: (next) => {
      tools = next;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listed(key: string, items: readonly object[] | undefined): Response {
  if (items === undefined) return Response.json({ error: 'unknown method' }, { status: 404 });
  return Response.json({ [key]: items });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
