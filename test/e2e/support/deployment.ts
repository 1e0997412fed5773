import { type Run, run } from '../../cli/run.ts';
import { startGateway } from '../../support/binary.ts';
import { type CapturingBackend, createCapturingBackend } from '../../support/capturing-backend.ts';
import { writeConfig } from '../../support/config-file.ts';
import { freePort } from '../../support/free-port.ts';
import { createIssuer, type TestIssuer, type TokenClaims } from '../../support/issuer.ts';
import { createTempFolder } from '../../support/temp-folder.ts';
import { waitForTool } from '../../support/wait-for-tool.ts';
import { type AnyClient, type ClientKind, connectClient, type Way } from './any-client.ts';

const technicalToken = 'technical-token-0123456789-0123456789';

/** The command as a process, with a real issuer and one application. */
export interface Deployment extends AsyncDisposable {
  readonly url: string;
  readonly issuer: TestIssuer;
  readonly backend: CapturingBackend;
  /** Runs another command on the same configuration. */
  command(line: string): Promise<Run>;
  connect(kind: ClientKind, claims?: TokenClaims, way?: Way): Promise<AnyClient>;
  /** What an application does when its tools or resources have changed. */
  poke(body: object): Promise<void>;
  /** `kill -9`, and the same command again on the same state, until it lists this tool. */
  killAndRestart(until?: string): Promise<void>;
}

const who = {
  method: 'elicitation/create',
  params: { message: 'Who?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } },
};
const capital = {
  method: 'sampling/createMessage',
  params: {
    messages: [{ role: 'user', content: { type: 'text', text: 'The capital of France?' } }],
    maxTokens: 9,
  },
};

const scope = 'mcp:test';
/** What the application lists unless a test changes it. */
export const listedTools = [
  ...['echo', 'work', 'ask', 'hang', 'deny'].map((name) => ({ name, scope, description: `Does ${name}.` })),
  { name: 'pro', scope: 'mcp:pro' },
];

function startBackend(): CapturingBackend {
  const backend = createCapturingBackend({
    technicalToken,
    tools: listedTools,
    prompts: [{ name: 'greet', scope, description: 'Greets.', arguments: [{ name: 'who' }] }],
    resources: [{ uri: 'note://1', name: 'One', scope, mimeType: 'text/plain' }],
    resourceTemplates: [{ uriTemplate: 'note://{id}', name: 'Note', scope }],
  });
  backend.answer('deny', () => Response.json({ error: 'only the owner' }, { status: 403 }));
  backend.answer('hang', () => new Promise(() => {}));
  backend.answer('get_prompt', () =>
    Response.json({ messages: [{ role: 'user', content: { type: 'text', text: 'Hello.' } }] }),
  );
  backend.answer('read_resource', ({ params }) =>
    Response.json({ contents: [{ uri: params.uri, mimeType: 'text/plain', text: 'A note.' }] }),
  );
  backend.answer('complete', () => Response.json({ values: ['Ada', 'Bob'] }));
  backend.answer('ask', ({ params }) =>
    params.inputResponses === undefined
      ? Response.json({
          resultType: 'input_required',
          inputRequests: { who, capital, roots: { method: 'roots/list' } },
          requestState: 'kept',
        })
      : Response.json({ answers: params.inputResponses, state: params.requestState }),
  );
  backend.answer('work', ({ headers }) => {
    if (headers.get('accept')?.includes('text/event-stream') !== true) return Response.json({ done: true });
    const events = [
      ['progress', { progress: 1, total: 2 }],
      ['log', { level: 'debug', data: 'x' }],
      ['log', { level: 'error', data: 'x' }],
      ['progress', { progress: 2, total: 2 }],
      ['result', { done: true }],
    ];
    const text = events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('');
    return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
  });
  return backend;
}

export async function startDeployment(
  sections: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
): Promise<Deployment> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await createTempFolder());
  const port = freePort();
  const origin = `http://127.0.0.1:${port}`;
  const url = `${origin}/mcp`;
  const issuer = parts.use(await createIssuer({ audience: url, algorithm: 'ES256' }));
  const backend = parts.use(startBackend());
  const config = await writeConfig(folder.path, {
    gateway: { url, listen: `127.0.0.1:${port}` },
    auth: { issuers: [{ url: issuer.url }], challenge_scopes: ['mcp:test'] },
    backends: { notes: { url: backend.url, technical_token: technicalToken } },
    audit: { durability: 'batch' },
    ...sections,
  });
  const start = () => startGateway({ args: ['--config', config], cwd: folder.path, port });
  let gateway = await start();
  parts.defer(async () => void (await gateway.stop()));
  const token = await issuer.mint({ scope: 'mcp:test' });
  await waitForTool(url, token, 'notes_echo');
  const owned = parts.move();
  return {
    url,
    issuer,
    backend,
    command: (line) =>
      run(`${line} --config ${config}`, { cwd: folder.path, environment: { HOME: folder.path } }),
    connect: async (kind, claims = { sub: 'ada', scope: 'mcp:test' }, way = 'http') =>
      connectClient(kind, url, await issuer.mint(claims), way),
    async poke(body) {
      const headers = { authorization: `Bearer ${technicalToken}` };
      const answer = await fetch(`${origin}/catalog/changed`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`);
    },
    async killAndRestart(tool = 'notes_echo') {
      process.kill(gateway.pid, 'SIGKILL');
      await gateway.exited;
      gateway = await start();
      await waitForTool(url, token, tool);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Waits until something is so. */
export async function until(isTrue: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !isTrue(); waited += 10) {
    if (waited > 5_000) throw new Error(`waited too long for ${what}`);
    await Bun.sleep(10);
  }
}
