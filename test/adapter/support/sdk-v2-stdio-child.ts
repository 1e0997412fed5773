import { inputRequired, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

/** A server of the v2 SDK over stdio: it serves whichever era opens the connection. */
const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] });
const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } } };

serveStdio(() => {
  const server = new McpServer(
    { name: 'sdk-v2-stdio', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } } },
  );
  server.registerTool('echo', {}, () => text('hi'));
  server.registerTool('elicit', {}, ({ mcpReq }) => {
    const { inputResponses } = mcpReq;
    if (inputResponses !== undefined) return text(JSON.stringify(inputResponses));
    return inputRequired({
      inputRequests: { who: inputRequired.elicit({ message: 'Who are you?', requestedSchema }) },
    });
  });
  server.registerTool('progress', {}, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    if (progressToken === undefined) return text('no token');
    for (const progress of [1, 2, 3])
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress } });
    return text('done');
  });
  server.registerTool('grow', {}, () => {
    server.registerTool('grown', {}, () => text('I am new'));
    return text('grown');
  });
  server.registerTool('touch', {}, async () => {
    await server.server.sendResourceUpdated({ uri: 'test://static' });
    return text('touched');
  });
  server.registerResource('static', 'test://static', {}, (uri) => ({
    contents: [{ uri: uri.href, text: 'static' }],
  }));
  return server;
});
