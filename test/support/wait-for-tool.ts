/** Lists tools until one is there: the first poll of a backend may still be under way when the gateway listens. */
export async function waitForTool(
  url: string,
  token: string,
  name: string,
  timeoutMs = 30_000,
): Promise<void> {
  let seen = 'nothing';
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await Bun.sleep(25)) {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/list',
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/list',
        params: {
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    });
    seen = `${answer.status} ${await answer.text()}`;
    if (seen.includes(`"name":"${name}"`)) return;
  }
  throw new Error(`no tool ${name} at ${url}: ${seen.slice(0, 2_000)}`);
}
