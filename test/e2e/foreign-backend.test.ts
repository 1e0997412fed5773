import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ForeignBackend, startForeignBackend } from '../foreign/start-backend.ts';
import { type CortexProcess, startGateway } from '../support/binary.ts';
import { freePort } from '../support/free-port.ts';
import { createIssuer, type TestIssuer, type TokenClaims } from '../support/issuer.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { waitForTool } from '../support/wait-for-tool.ts';

const port = freePort();
const url = `http://127.0.0.1:${port}/mcp`;
const technicalToken = 'technical-token-of-the-orders';
const everything = 'orders:read orders:write orders:admin';
let folder: TempFolder;
let issuer: TestIssuer;
let backend: ForeignBackend;
let gateway: CortexProcess;

/** The gateway knows nothing but the environment names of existing deployments. */
beforeAll(async () => {
  folder = await createTempFolder();
  issuer = await createIssuer({ audience: url });
  backend = await startForeignBackend({ technicalToken, issuer: issuer.url, audience: url });
  gateway = await startGateway({
    args: ['--listen', `127.0.0.1:${port}`],
    cwd: folder.path,
    port,
    env: {
      CORTEX_CANONICAL_URI: url,
      OAUTH_ISSUER: issuer.url,
      CORTEX_BACKENDS: 'demo',
      CORTEX_BACKEND_DEMO_URL: backend.url,
      CORTEX_TECHNICAL_TOKEN: technicalToken,
    },
  });
  await waitForTool(url, await issuer.mint({ scope: everything }), 'demo_list_orders');
});
afterAll(async () => {
  await gateway?.stop();
  await backend?.[Symbol.asyncDispose]();
  await issuer?.close();
  await folder?.remove();
});

async function connect(claims: TokenClaims, mode: 'legacy' | 'auto' = 'auto'): Promise<Client> {
  const token = await issuer.mint(claims);
  const client = new Client({ name: 'foreign-test', version: '1.0.0' }, { versionNegotiation: { mode } });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );
  return client;
}

describe.each(['auto', 'legacy'] as const)(
  'a backend written from the contract alone, through a %s client',
  (mode) => {
    test('its tools are listed by scope, its shorthand as schemas, and what names no scope is not', async () => {
      const reader = await connect({ sub: 'ada', scope: 'orders:read' }, mode);
      const names = (await reader.listTools()).tools
        .map((tool) => tool.name)
        .filter((name) => name.startsWith('demo_'));
      expect(names).toEqual([
        'demo_explode',
        'demo_export_orders',
        'demo_get_help',
        'demo_list_orders',
        'demo_print_labels',
      ]);
      const list = (await reader.listTools()).tools.find((tool) => tool.name === 'demo_list_orders');
      expect(list?.inputSchema).toMatchObject({ type: 'object', properties: { limit: { type: 'number' } } });
      expect(list?.annotations).toEqual({ readOnlyHint: true });
      await reader.close();
    });

    test('it sees the caller as themselves', async () => {
      for (const [sub, item] of [
        ['ada', 'tea'],
        ['bob', 'Zürich–東京 ☕'],
      ] as const) {
        const client = await connect({ sub, scope: 'orders:read' }, mode);
        const result = await client.callTool({ name: 'demo_list_orders', arguments: {} });
        expect(JSON.stringify(result.content)).toContain(item);
        await client.close();
      }
    });

    test('each of its errors reaches the agent in words', async () => {
      const client = await connect({ sub: 'ada', scope: everything }, mode);
      const said = async (name: string, args: Record<string, unknown> = {}): Promise<string> => {
        const result = await client.callTool({ name: `demo_${name}`, arguments: args });
        expect(result.isError).toBe(true);
        return JSON.stringify(result.content);
      };
      expect(await said('create_order', { item: ' ' })).toContain('item is needed');
      expect(await said('create_order', { item: 'tea' })).toContain('ordered already');
      expect(await said('cancel_order', { id: '99' })).toContain('no such order');
      expect(await said('cancel_order', { id: '2' })).toContain('only the owner may cancel');
      expect(await said('close_books')).toContain('closed on Sundays');
      expect(await said('print_labels')).toContain('7');
      expect(await said('explode')).not.toBe('[]');
      await client.close();
    });

    test('its prompt and its resources are read as the caller', async () => {
      const client = await connect({ sub: 'ada', scope: 'orders:read' }, mode);
      expect((await client.listPrompts()).prompts.map((prompt) => prompt.name)).toContain(
        'demo_review_order',
      );
      const prompt = await client.getPrompt({ name: 'demo_review_order', arguments: { id: '1' } });
      expect(JSON.stringify(prompt.messages)).toContain('Review order 1.');
      const read = await client.readResource({ uri: 'orders://1' });
      expect(JSON.stringify(read.contents)).toContain('tea');
      await expect(client.readResource({ uri: 'orders://2' })).rejects.toThrow();
      await client.close();
    });

    test('its whoami and its help are asked', async () => {
      const client = await connect({ sub: 'ada', scope: everything }, mode);
      expect(JSON.stringify((await client.callTool({ name: 'whoami', arguments: {} })).content)).toContain(
        'admin',
      );
      const help = await client.callTool({ name: 'demo_get_help', arguments: { topic: 'tea' } });
      expect(JSON.stringify(help.content)).toContain('Orders of tea');
      await client.close();
    });
  },
);
