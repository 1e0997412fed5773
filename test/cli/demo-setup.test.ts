import { expect, test } from 'vitest';
import { startDemo } from '#cli/demo-setup.ts';
import type { Terminal } from '#cli/terminal.ts';
import { createInbox } from '#demo/mailer.ts';
import { okAnswer, startRawServer } from '../outbound/raw-server.ts';
import { freePort } from '../support/free-port.ts';

const terminal: Terminal = {
  cwd: '/nowhere',
  environment: { HOME: '/nowhere' },
  out: () => {},
  say: () => {},
  isInteractive: false,
  columns: 80,
};

/** Asks a demo for a sign-in of the client that a document on this machine describes. */
async function askFor(clientOf: (port: number) => string, publicUrl: string | undefined) {
  let clientId = '';
  await using document = await startRawServer((socket) =>
    socket.write(
      okAnswer(
        JSON.stringify({ client_id: clientId, client_name: 'X', redirect_uris: ['http://127.0.0.1/'] }),
      ),
    ),
  );
  clientId = clientOf(document.port);
  const [gatewayPort, issuerPort] = [freePort(), freePort()];
  const demo = await startDemo(
    {
      folder: undefined,
      gatewayPort,
      issuerPort,
      calendarPort: undefined,
      adminPort: undefined,
      publicUrl,
      mailer: createInbox(),
      isQuiet: true,
    },
    terminal,
  );
  const local = `http://127.0.0.1:${issuerPort}`;
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: 'http://127.0.0.1:41000/',
    response_type: 'code',
    code_challenge: 'c'.repeat(43),
    code_challenge_method: 'S256',
  });
  const metadata: unknown = await (await fetch(`${local}/.well-known/oauth-authorization-server`)).json();
  const answer = await fetch(`${local}/authorize?${query}`, { redirect: 'manual' });
  await demo.stop();
  return { status: answer.status, connections: document.connections(), metadata };
}

test('a demo on one machine reads the documents of clients on that machine', async () => {
  const { status, connections } = await askFor((port) => `http://127.0.0.1:${port}/client.json`, undefined);
  expect(connections).toBe(1);
  expect(status).toBe(303);
});

test.each([
  ['an address', (port: number) => `https://127.0.0.1:${port}/client.json`],
  ['a name', (port: number) => `https://localhost:${port}/client.json`],
  ['a translated address', (port: number) => `https://[::ffff:7f00:1]:${port}/client.json`],
  ['plain http', (port: number) => `http://127.0.0.1:${port}/client.json`],
])('a public demo reads documents, but none of its own network by %s', async (_how, clientOf) => {
  const { status, connections, metadata } = await askFor(clientOf, 'https://demo.invalid');
  expect(metadata).toMatchObject({ client_id_metadata_document_supported: true });
  expect(connections).toBe(0);
  expect(status).toBe(400);
});
