import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js';
import { expect, test } from 'vitest';
import { type Adapted, createAdapted } from './support/adapted.ts';
import { startTalkingServer } from './support/talking-server.ts';

const info = { name: 'official', version: '1' };
const capabilities = { elicitation: { url: {} } };
const call = { name: 'srv_find', arguments: { q: 'x' } };

/** What a client needs to come to the edge as Ada, without a socket. */
function asAda({ edge }: Adapted) {
  const { token } = edge.caller('ada', 'mcp:srv');
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const fetch = (url: string | URL, init?: RequestInit) => edge.fetch(new Request(url, init));
  return { requestInit, fetch };
}
const url = new URL('http://127.0.0.1:3213/mcp');

async function unlinked() {
  const server = startTalkingServer('modern');
  server.lists('token-of-ada', 'find');
  const world = await createAdapted(server.url, {});
  return {
    world,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

test.each(['before', 'after'] as const)(
  'the official client of 2026-07-28 calls once: its user links %s the client calls again (R45)',
  async (when) => {
    await using setting = await unlinked();
    const { world } = setting;
    const client = new ClientV2(info, { capabilities, versionNegotiation: { mode: 'auto' } });
    const opened: unknown[] = [];
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      opened.push(params);
      if (when === 'before') world.link('ada', 'token-of-ada');
      else setTimeout(() => world.link('ada', 'token-of-ada'), 100);
      return { action: 'accept' };
    });
    await client.connect(new TransportV2(url, asAda(world)));
    const result = await client.callTool(call);
    expect(JSON.stringify(result.content)).toContain('find for token-of-ada');
    expect(opened).toEqual([
      {
        mode: 'url',
        message: expect.stringContaining('srv'),
        url: expect.stringContaining('/link/srv?ticket='),
      },
    ]);
    await client.close();
  },
);

test('the official client of 2025-11-25 knows the error for what it is, and calls again (R30)', async () => {
  await using setting = await unlinked();
  const { world } = setting;
  const client = new ClientV1(info, { capabilities });
  await client.connect(new TransportV1(url, asAda(world)));
  const refused: unknown = await client.callTool(call).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(UrlElicitationRequiredError);
  expect(refused instanceof UrlElicitationRequiredError && refused.elicitations).toEqual([
    {
      mode: 'url',
      elicitationId: expect.any(String),
      message: expect.stringContaining('srv'),
      url: expect.stringContaining('/link/srv?ticket='),
    },
  ]);
  world.link('ada', 'token-of-ada');
  expect(JSON.stringify(await client.callTool(call))).toContain('find for token-of-ada');
  await client.close();
});
