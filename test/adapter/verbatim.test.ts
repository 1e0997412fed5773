import { expect, test } from 'vitest';
import { createRawPeer, modern } from './raw-peer.ts';
import { connect, context, tool } from './setup.ts';

async function passed(text: string): Promise<string | undefined> {
  await using peer = createRawPeer(
    modern(({ id }) => new Response(`{"id":${id}, "result" : ${text} ,"jsonrpc":"2.0"}`)),
  );
  await using connected = connect(peer.url);
  const { outcome } = await connected.backend.call(tool('x'), context());
  return outcome.ok && outcome.value.kind === 'mcp' ? outcome.value.text : undefined;
}

test('a result passes byte for byte: big numbers, unknown keys and kinds of content, spacing, order', async () => {
  const text =
    '{ "zeta":1, "content":[{"type":"hologram","depth":9007199254740993}],"structuredContent":{"id":12345678901234567890,"f":1.10},"alpha":{} }';
  expect(await passed(text)).toBe(text);
});

test('what says who the server is, is left out, and the rest is not touched (R9)', async () => {
  const content = '[{"type":"text","text":"x","n":9007199254740993}]';
  const meta = '"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"peer"},"own":1}';
  expect(await passed(`{"content":${content},${meta}}`)).toBe(`{"content":${content},"_meta":{"own":1}}`);
});
