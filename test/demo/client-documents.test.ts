import { afterEach, describe, expect, it } from 'vitest';
import type { FetchDocument } from '#demo/authorization-server/options.ts';
import { authorizationUrl, type Demo, issuer, readAnswer, startDemo } from './demo-fixture.ts';

const url = 'https://app.test/oauth/client.json';
const document = { client_id: url, client_name: 'App', redirect_uris: ['http://127.0.0.1/callback'] };

let demo: Demo;
let reads: string[] = [];
afterEach(() => demo.server.close());

async function start(body: unknown, maxAgeSeconds?: number, allowsLoopbackDocuments = false): Promise<void> {
  reads = [];
  const fetchDocument: FetchDocument = async (address) => {
    reads.push(address);
    return body === undefined ? { ok: false, error: 'gone' } : { ok: true, value: { body, maxAgeSeconds } };
  };
  demo = await startDemo({ fetchDocument, allowsLoopbackDocuments });
}
const isTaken = async (clientId: string) => {
  const answer = await demo.send(authorizationUrl({ client_id: clientId }));
  return answer.headers.get('location')?.startsWith('/sign-in') ?? false;
};

describe('clients that describe themselves', () => {
  it('get tokens under their URL, with an any-port loopback redirect', async () => {
    await start(document);
    const answer = await demo.tokens(url);
    expect(answer.status).toBe(200);
    expect(answer.body.refresh_token).toBeTypeOf('string');
  });

  it('are advertised only where documents can be read', async () => {
    await start(document);
    const read = async () => readAnswer(await demo.send(`${issuer}/.well-known/oauth-authorization-server`));
    expect((await read()).body.client_id_metadata_document_supported).toBe(true);
    demo.server.close();
    demo = await startDemo();
    expect((await read()).body.client_id_metadata_document_supported).toBe(false);
    expect(await isTaken(url)).toBe(false);
  });

  it.each([
    ['names another client id', { ...document, client_id: 'https://app.test/other.json' }],
    ['names none', { ...document, client_id: undefined }],
    ['has no name', { ...document, client_name: undefined }],
    ['has no redirect URIs', { ...document, redirect_uris: undefined }],
    ['has an unsafe redirect URI', { ...document, redirect_uris: ['http://evil.test/cb'] }],
    ['holds a secret', { ...document, client_secret: 'x' }],
    ['wants a shared secret', { ...document, token_endpoint_auth_method: 'client_secret_post' }],
    ['is no object', 'hello'],
    ['cannot be read', undefined],
  ])('are refused when the document %s', async (_name, body) => {
    await start(body);
    expect(await isTaken(url)).toBe(false);
    expect(reads).toEqual([url]);
  });

  it.each([
    'http://app.test/client.json',
    'http://127.0.0.1:8080/client.json',
    'https://app.test/',
    'https://app.test',
    'https://app.test/client.json#x',
    'https://user@app.test/client.json',
    'https://app.test/a/../client.json',
    'https://APP.test/client.json',
    `https://app.test/${'x'.repeat(500)}`,
  ])('are not even asked for at %s', async (clientId) => {
    await start({ ...document, client_id: clientId });
    expect(await isTaken(clientId)).toBe(false);
    expect(reads).toEqual([]);
  });

  it('may lie on loopback where the demo allows it', async () => {
    const local = 'http://127.0.0.1:8080/client.json';
    await start({ ...document, client_id: local }, undefined, true);
    expect(await isTaken(local)).toBe(true);
    expect(await isTaken('http://app.test/client.json')).toBe(false);
  });

  it('are read again only when the document has aged, and failures only after a minute', async () => {
    await start(document, 600);
    await isTaken(url);
    demo.clock.advance(599);
    await isTaken(url);
    expect(reads).toHaveLength(1);
    demo.clock.advance(1);
    await isTaken(url);
    expect(reads).toHaveLength(2);

    demo.server.close();
    await start(undefined);
    await isTaken(url);
    demo.clock.advance(59);
    await isTaken(url);
    expect(reads).toHaveLength(1);
    demo.clock.advance(1);
    await isTaken(url);
    expect(reads).toHaveLength(2);
  });

  it('cannot make the server a source of requests: reads are limited per address range', async () => {
    await start(undefined);
    for (let count = 0; count < 40; count += 1) await isTaken(`https://app.test/${count}.json`);
    expect(reads).toHaveLength(30);
  });
});
