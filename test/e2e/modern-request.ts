/** One request of revision 2026-07-28, over a real socket. */
export function modernRequest(
  url: string,
  token: string,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const name = params.name ?? params.uri;
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
  });
}

export const callTool = (
  url: string,
  token: string,
  name: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> => modernRequest(url, token, 'tools/call', { name, arguments: {} }, headers);

/** The names of the tools that a token sees. */
export async function listTools(url: string, token: string): Promise<readonly string[]> {
  const answer = await modernRequest(url, token, 'tools/list');
  const body: { result: { tools: { name: string }[] } } = await answer.json();
  return body.result.tools.map((tool) => tool.name);
}
