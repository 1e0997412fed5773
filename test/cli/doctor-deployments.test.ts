import { describe, expect, test } from 'vitest';
import { hasNginx } from '../support/nginx.ts';
import { deploy, type Fault, goodLines } from './deployment.ts';
import { run } from './run.ts';

interface Told {
  readonly exitCode: number;
  readonly steps: readonly {
    readonly step: string;
    readonly status: string;
    readonly found: string;
    readonly fix: string | null;
    readonly proxy: readonly { readonly proxy: string; readonly lines: readonly string[] }[];
  }[];
}

async function examine(fault: Fault, listenFor = 1, knowsConfig = true): Promise<Told> {
  await using deployment = await deploy(fault);
  const { url, config, token } = deployment;
  const known = knowsConfig ? ` --config ${config}` : '';
  const line = `doctor ${url}${known} --json --origin https://claude.ai --listen-for ${listenFor} --token -`;
  const { exitCode, stdout } = await run(line, { stdin: [token] });
  return { exitCode, steps: JSON.parse(stdout).steps };
}

/** What is broken, the step that finds it, what it says, the fix, and what is to be written into nginx's configuration. */
interface Case {
  readonly title: string;
  readonly fault: Fault;
  readonly step: string;
  readonly found: string;
  readonly fix: string;
  readonly nginx?: string;
  readonly exitCode?: number;
  readonly listenFor?: number;
}

const twelve: readonly Case[] = [
  {
    title: 'no challenge header',
    fault: { location: 'proxy_hide_header WWW-Authenticate;' },
    step: 'challenge',
    found: 'the 401 has no WWW-Authenticate',
    fix: 'let the proxy pass the header WWW-Authenticate',
    nginx: 'proxy_hide_header WWW-Authenticate',
  },
  {
    title: 'a header that is not exposed',
    fault: { location: 'proxy_hide_header Access-Control-Expose-Headers;' },
    step: 'exposed',
    found: 'does not see WWW-Authenticate and Mcp-Session-Id (Access-Control-Expose-Headers is absent)',
    fix: 'leave those headers to the gateway',
    nginx: 'proxy_hide_header Access-Control-...',
  },
  {
    title: 'an origin that is refused',
    fault: { origins: [] },
    step: 'exposed',
    found: 'the gateway refuses pages of https://claude.ai',
    fix: 'gateway.origins: [https://claude.ai]',
  },
  {
    title: 'metadata with a slash at the end',
    fault: {
      server: (url) =>
        `location = /.well-known/oauth-protected-resource/mcp { default_type application/json; return 200 '{"resource":"${url}/","authorization_servers":["https://auth.example.com"]}'; }`,
    },
    step: 'resource',
    found: '/mcp/", not "http://127.0.0.1:',
    fix: 'a slash at the end counts: set gateway.url to http://127.0.0.1:',
  },
  {
    title: 'an issuer that calls itself otherwise',
    fault: { metadata: { issuer: 'https://login.example.com' } },
    step: 'issuer',
    found: 'it calls itself "https://login.example.com"',
    fix: 'set auth.issuers url to https://login.example.com',
  },
  {
    title: 'no S256',
    fault: { metadata: { code_challenge_methods_supported: undefined } },
    step: 'pkce',
    found: 'does not offer PKCE with S256',
    fix: 'turn PKCE with S256 on at the issuer',
  },
  {
    title: 'a key set that has expired',
    fault: { keys: (key) => [{ ...key.jwk, exp: 1_000_000_000 }] },
    step: 'keys',
    found: '1 key of 1 expired, and no other can be used',
    fix: 'have the issuer make and publish a new key',
  },
  {
    title: 'a clock that is off',
    fault: { aheadSeconds: 300 },
    step: 'clock',
    found: ' s behind the issuer’s: new tokens are refused as not yet valid',
    fix: 'timedatectl set-ntp true',
  },
  {
    // With HTTP/1.0, nginx's own default towards the gateway, a buffer goes out when it is full.
    title: 'a proxy that buffers',
    fault: {
      lines: 'proxy_set_header Host $http_host; proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;',
    },
    step: 'stream',
    found: 'subscriptions/listen says nothing for 5 s: the proxy holds it back',
    fix: 'turn buffering off in the proxy',
    nginx: 'proxy_buffering off;',
  },
  {
    title: 'an idle time-out',
    fault: { lines: goodLines.replace('1h', '3s') },
    step: 'idle',
    found: 'a quiet stream is cut after ',
    fix: 'raise the idle time-out of whatever stands before the gateway above 24 s',
    nginx: 'proxy_read_timeout 1h;',
    listenFor: 30,
  },
  {
    title: 'a token for another audience',
    fault: { claims: { aud: 'https://api.example.com' } },
    step: 'acceptance',
    found: 'refused: audience_refused (aud "https://api.example.com")',
    fix: 'have clients send resource with the gateway’s URL',
  },
  {
    title: 'an application that is down',
    fault: { isBackendDown: true },
    step: 'notes',
    found: 'does not answer: nobody listens there (ECONNREFUSED)',
    fix: 'start it, or correct backends.notes.url',
    exitCode: 3,
  },
];

const more: readonly Case[] = [
  {
    title: 'a proxy that drops the token',
    fault: { location: 'proxy_set_header Authorization "";' },
    step: 'initialize',
    found: 'the token does not arrive',
    fix: 'pass the header Authorization on',
    nginx: 'proxy_set_header Authorization $http_authorization;',
  },
  {
    title: 'a proxy that calls the gateway by another name',
    fault: { lines: goodLines.replace('$http_host', 'cortex.internal') },
    step: 'challenge',
    found: 'answered 403, not 401, which a request without a token gets: the gateway is called by a name',
    fix: 'pass the Host header on',
    nginx: 'proxy_set_header Host $host;',
  },
  {
    title: 'a proxy that answers preflights itself',
    fault: { location: 'if ($request_method = OPTIONS) { return 405; }' },
    step: 'preflight',
    found: 'a preflight was answered 405',
    fix: 'pass OPTIONS on to the gateway',
    nginx: '$request_method = OPTIONS',
  },
  {
    title: 'a proxy that adds headers of its own for browsers',
    fault: { location: 'add_header Access-Control-Allow-Origin https://other.example always;' },
    step: 'exposed',
    found: 'Access-Control-Allow-Origin is https://claude.ai, https://other.example',
    fix: 'the proxy must neither set nor drop them',
    nginx: 'add_header Access-Control-...',
  },
  {
    title: 'metadata that does not get through',
    fault: { server: () => 'location /.well-known/ { return 404; }' },
    step: 'metadata',
    found: '/.well-known/oauth-protected-resource/mcp was answered 404, no JSON',
    fix: 'pass /.well-known/oauth-protected-resource on to the gateway',
    nginx: 'location /.well-known/oauth-protected-resource {',
  },
  {
    title: 'a gateway that is down behind its proxy',
    fault: { isGatewayDown: true },
    step: 'challenge',
    found:
      'answered 502, not 401, which a request without a token gets: the proxy answers, and does not reach',
    fix: 'start the gateway (systemctl status cortex)',
    nginx: 'proxy_pass http://127.0.0.1:3213;',
  },
  {
    title: 'a redirect',
    fault: { server: () => 'location = /mcp { return 301 https://mcp.example.com/mcp; }' },
    step: 'challenge',
    found: 'sends clients on to https://mcp.example.com/mcp',
    fix: 'clients do not follow',
  },
  {
    title: 'a proxy that drops the headers of the protocol',
    fault: { location: 'proxy_set_header Mcp-Method "";' },
    step: 'discover',
    found: 'the gateway answered -32020',
    fix: 'pass the headers Mcp-Method, Mcp-Name and MCP-Protocol-Version on',
    nginx: 'proxy_set_header Mcp-... ""',
  },
  {
    title: 'a proxy that drops the session',
    fault: { location: 'proxy_hide_header Mcp-Session-Id;' },
    step: 'initialize',
    found: 'the answer has no Mcp-Session-Id',
    fix: 'pass the header Mcp-Session-Id on',
    nginx: 'proxy_hide_header Mcp-Session-Id;',
  },
  {
    title: 'a proxy that compresses streams and holds them back',
    fault: {
      location:
        'gzip on; gzip_types text/event-stream; gzip_min_length 1; proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;',
      lines: goodLines.replace('proxy_buffering off;', ''),
    },
    step: 'stream',
    found: 'subscriptions/listen says nothing for 5 s',
    fix: 'turn buffering off in the proxy',
    nginx: 'proxy_buffering off;',
  },
  {
    title: 'a proxy that lets nothing but POST pass',
    fault: { location: 'set $asked $request_method$uri; if ($asked = GET/mcp) { return 405; }' },
    step: 'stream',
    found: 'the stream of a session (GET) was answered 405, no event stream',
    fix: 'pass GET and POST on as they are',
  },
  {
    title: 'a technical token that the application does not take',
    fault: { technicalToken: 'another' },
    step: 'notes',
    found: 'refuses the technical token (401)',
    fix: 'give backends.notes.technical_token the value that the application was started with',
  },
];

const withNginx = describe.skipIf(!hasNginx);

withNginx('the doctor before a real nginx', () => {
  test('passes a good deployment, step by step', async () => {
    const told = await examine({});
    expect(told.steps.filter(({ status }) => status !== 'ok')).toMatchObject([
      { step: 'tls', status: 'skipped', found: 'plain http, on this machine' },
    ]);
    expect(told.exitCode).toBe(0);
    expect(told.steps.map(({ step }) => step)).toEqual([
      'dns',
      'tls',
      'challenge',
      'exposed',
      'preflight',
      'metadata',
      'resource',
      'discovery',
      'issuer',
      'endpoints',
      'keys',
      'pkce',
      'registration',
      'scopes',
      'audience',
      'clock',
      'token',
      'signature',
      'acceptance',
      'identity',
      'initialize',
      'discover',
      'list',
      'call',
      'stream',
      'idle',
      'notes',
    ]);
  });

  test.each([...twelve, ...more])(
    'names $title, and the fix',
    async ({ fault, step, found, fix, nginx, exitCode = 1, listenFor = 1 }) => {
      const told = await examine(fault, listenFor);
      const last = told.steps.at(-1);
      expect(`${last?.step}: ${last?.found}`).toContain(found);
      expect(last?.step).toBe(step);
      expect(last?.fix).toContain(fix);
      expect(told.exitCode).toBe(exitCode);
      expect(told.steps.slice(0, -1).filter(({ status }) => status === 'failed')).toEqual([]);
      if (nginx === undefined) return;
      // The proxy gave itself away: only its own lines are shown.
      expect(last?.proxy.map(({ proxy }) => proxy)).toEqual(['nginx']);
      expect(last?.proxy[0]?.lines.join('\n')).toContain(nginx);
    },
  );

  // What the doctor says, done: the lines that it prints take the place of the faulty ones.
  test.each(
    twelve
      .concat(more)
      .filter(({ title }) => /that buffers|idle time-out|by another name|drops the token/.test(title)),
  )('names lines that mend $title', { timeout: 60_000 }, async ({ fault, listenFor = 1 }) => {
    const broken = await examine(fault, listenFor);
    const printed = broken.steps.at(-1)?.proxy[0]?.lines.filter((line) => !line.startsWith('#')) ?? [];
    expect(printed.length).toBeGreaterThan(0);
    const directives = new Set(printed.map((line) => line.split(' ').slice(0, -1).join(' ')));
    const kept = `${fault.lines ?? goodLines};${fault.location ?? ''}`
      .split(';')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !directives.has(line.split(' ').slice(0, -1).join(' ')));
    const mended = await examine({ lines: [...kept.map((line) => `${line};`), ...printed].join('\n') }, 4);
    expect(mended.steps.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(mended.exitCode).toBe(0);
  });

  describe('without the configuration', () => {
    const statusOf = (told: Told, name: string) => told.steps.find(({ step }) => step === name)?.status;

    test('leaves what it cannot know to the gateway, which takes the token', async () => {
      const aud = 'api://notes';
      const told = await examine({ issuer: { audience: [aud] }, claims: { aud } }, 1, false);
      expect(statusOf(told, 'acceptance')).toBe('warning');
      expect(statusOf(told, 'identity')).toBe('skipped');
      expect(told.steps.at(-1)).toMatchObject({ step: 'idle', status: 'ok' });
      expect(told.exitCode).toBe(0);
    });

    test('names what it found where the gateway refuses the token', async () => {
      const told = await examine({ claims: { aud: 'api://other' } }, 1, false);
      expect(told.steps.at(-1)).toMatchObject({ step: 'initialize', status: 'failed' });
      expect(told.steps.at(-1)?.found).toContain('most likely for what was found: refused: audience_refused');
      expect(told.steps.at(-1)?.fix).toContain('have clients send resource');
      expect(told.exitCode).toBe(1);
    });

    test('uses no token that is bound to a key of somebody else', async () => {
      const told = await examine({ claims: { cnf: { jkt: 'a'.repeat(43) } } }, 1, false);
      expect(told.steps.at(-1)).toMatchObject({ step: 'initialize', status: 'skipped' });
      expect(told.exitCode).toBe(0);
    });
  });
});
