import { createRemoteJWKSet, jwtVerify } from 'jose';
import {
  fixturePrompts,
  fixtureResources,
  fixtureScope,
  fixtureTemplates,
  fixtureTools as toolList,
} from './fixture-catalog.ts';
import { text } from './fixture-content.ts';
import { answersOf, fixtureContents, fixturePrompt } from './fixture-reads.ts';
import { type FixtureAnswer, type FixtureCall, fixtureTools, isRecord } from './fixture-tools.ts';

export interface FixtureOptions {
  readonly port: number;
  readonly technicalToken: string;
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly audience: string;
  /** Where `/catalog/changed` is. */
  readonly gatewayUrl: string;
}

export interface Fixture extends AsyncDisposable {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A first-party backend of the HTTP contract that offers what the official suite asks for: everything goes over
 * plain JSON, MCP-shaped answers, an event stream for progress and logs, and questions as `input_required`.
 */
export function startFixture(options: FixtureOptions): Fixture {
  const keys = createRemoteJWKSet(new URL(options.jwksUrl));
  let hasToggledTool = false;
  let hasToggledPrompt = false;

  const list = (method: string): object | undefined => {
    if (method === 'list_tools') return { tools: toolList(hasToggledTool) };
    if (method === 'list_prompts') return { prompts: fixturePrompts(hasToggledPrompt) };
    if (method === 'list_resources') return { resources: fixtureResources };
    if (method === 'list_resource_templates') return { resourceTemplates: fixtureTemplates };
    return undefined;
  };

  async function toggle(kind: 'tools' | 'prompts'): Promise<void> {
    if (kind === 'tools') hasToggledTool = !hasToggledTool;
    if (kind === 'prompts') hasToggledPrompt = !hasToggledPrompt;
    await fetch(`${options.gatewayUrl}/catalog/changed`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${options.technicalToken}` },
      body: JSON.stringify({ changed: [kind] }),
    });
  }

  /** Undefined: this is a user whose token holds the scope. */
  async function refuseUser(bearer: string): Promise<Response | undefined> {
    if (bearer === options.technicalToken)
      return Response.json({ error: 'not for this token' }, { status: 403 });
    try {
      const { payload } = await jwtVerify(bearer, keys, {
        issuer: options.issuer,
        audience: options.audience,
      });
      const scopes = String(payload.scope ?? '').split(' ');
      return scopes.includes(fixtureScope)
        ? undefined
        : Response.json({ error: 'a scope is missing', required: fixtureScope }, { status: 403 });
    } catch {
      return Response.json({ error: 'the token was not accepted' }, { status: 401 });
    }
  }

  async function answer(request: Request): Promise<Response> {
    const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
    const body: unknown = await request.json().catch(() => undefined);
    if (!isRecord(body) || typeof body.method !== 'string') return failure(400, 'a method is needed');
    const params = isRecord(body.params) ? body.params : {};
    const listed = list(body.method);
    if (listed !== undefined) {
      return bearer === options.technicalToken
        ? Response.json(listed)
        : failure(401, 'the token was not accepted');
    }
    const refusal = await refuseUser(bearer);
    if (refusal !== undefined) return refusal;

    if (body.method === 'whoami') return Response.json({ role: 'tester' });
    if (body.method === 'complete') return Response.json({ values: [], total: 0, hasMore: false });
    if (body.method === 'read_resource') {
      const contents = fixtureContents(String(params.uri));
      return contents === undefined ? failure(404, 'no such resource') : Response.json({ contents });
    }
    const call = (emit: (event: string, data: object) => void): FixtureCall => ({
      params,
      inputResponses: answersOf(params.inputResponses),
      requestState: typeof params.requestState === 'string' ? params.requestState : undefined,
      clientCapabilities: new Set((request.headers.get('x-cortex-client-capabilities') ?? '').split(' ')),
      progress: (event) => emit('progress', event),
      log: (event) => emit('log', event),
      toggle,
    });
    if (body.method === 'get_prompt') {
      const silent = call(() => {});
      const prompt = fixturePrompt(String(params.name), silent);
      return prompt === undefined ? failure(404, 'no such prompt') : Response.json(prompt);
    }
    const tool = fixtureTools.get(body.method);
    if (tool === undefined) return failure(404, `unknown method ${body.method}`);
    if (request.headers.get('accept')?.includes('text/event-stream') !== true) {
      return shaped(await tool(call(() => {})));
    }
    return streamed(async (emit) => tool(call(emit)));
  }

  const server = Bun.serve({ port: options.port, hostname: '127.0.0.1', idleTimeout: 0, fetch: answer });
  const close = () => server.stop(true);
  return { url: `http://127.0.0.1:${server.port}`, close, [Symbol.asyncDispose]: close };
}

function shaped(answer: FixtureAnswer): Response {
  if ('error' in answer) return Response.json(answer, { status: 500 });
  return Response.json(answer, { headers: { 'X-Cortex-Result': 'mcp' } });
}

/** Events as they happen, then one `result`. An error of the application is an MCP-shaped `isError` here. */
function streamed(run: (emit: (event: string, data: object) => void) => Promise<FixtureAnswer>): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const emit = (event: string, data: object): void => {
        controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
      };
      const answer = await run(emit);
      emit('result', 'error' in answer ? { content: [text(answer.error)], isError: true } : answer);
      controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'X-Cortex-Result': 'mcp' } });
}

function failure(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
