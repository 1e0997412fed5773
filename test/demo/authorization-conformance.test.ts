import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUpHeadlessly } from '#demo/sign-up.ts';
import { type ListeningDemo, listen } from './listening-demo.ts';

let listening: ListeningDemo;
beforeAll(async () => {
  listening = await listen();
});
afterAll(() => listening.close());

function freePort(): number {
  const probe = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  const { port } = probe;
  probe.stop(true);
  return port ?? 0;
}

/** Runs the official suite, opening the authorization URL it prints the way a person would. */
async function runSuite(specVersion: string): Promise<{ exitCode: number; output: string }> {
  const { issuer, resource, demo } = listening;
  const suite = Bun.spawn(
    [
      process.execPath,
      'node_modules/@modelcontextprotocol/conformance/dist/index.js',
      'authorization',
      ...['--url', issuer, '--resource', resource, '--spec-version', specVersion],
      ...['--client-id', await registerClient(issuer), '--port', String(freePort())],
    ],
    { stdout: 'pipe', stderr: 'pipe' },
  );
  let output = '';
  let isOpened = false;
  for await (const chunk of suite.stdout) {
    output += new TextDecoder().decode(chunk);
    const url = /^http\S+\/authorize\?\S+$/m.exec(output)?.[0];
    if (url === undefined || isOpened) continue;
    isOpened = true;
    const { readLink } = demo.inbox;
    await fetch(await signUpHeadlessly({ authorizationUrl: url, email: 'suite@example.com', readLink }));
  }
  output += await new Response(suite.stderr).text();
  return { exitCode: await suite.exited, output };
}

async function registerClient(issuer: string): Promise<string> {
  const body = JSON.stringify({
    redirect_uris: ['http://127.0.0.1/callback'],
    token_endpoint_auth_method: 'none',
  });
  const answer = await fetch(`${issuer}/register`, { method: 'POST', body });
  const { client_id: clientId } = await answer.json();
  return String(clientId);
}

describe('the official conformance suite', () => {
  it.each(['2025-11-25', '2026-07-28'])('passes every authorization scenario of %s', async (specVersion) => {
    const { exitCode, output } = await runSuite(specVersion);
    expect(output).toContain('authorization-server-metadata-endpoint: 2 passed, 0 failed');
    expect(output).toContain('authorization-code-grant: 1 passed, 0 failed');
    expect(exitCode, output).toBe(0);
  });
});
