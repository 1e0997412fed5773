import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createNotesBackend } from '#demo/notes-backend.ts';
import { signUpForTokens } from '#demo/sign-up.ts';
import { run } from '../cli/run.ts';
import { listen } from '../demo/listening-demo.ts';
import { startCortex, startGateway } from '../support/binary.ts';
import { freePort } from '../support/free-port.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitForTool } from '../support/wait-for-tool.ts';
import { connectClient } from './support/any-client.ts';

test('what cortex init writes is served, explained, and reached by a client that knows only stdio', {
  timeout: 120_000,
}, async () => {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await createTempFolder());
  const port = freePort();
  const notesPort = freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  const listening = await listen({ resources: [url] });
  parts.defer(() => listening.close());
  const { issuer } = listening;

  const args = ['init', '--url', url, '--issuer', issuer, '--backend', `notes=http://127.0.0.1:${notesPort}`];
  const init = startCortex({ args, cwd: folder.path });
  expect(await init.exited, init.output()).toBe(0);
  const config = join(folder.path, 'cortex.yaml');

  // The application gets its half of the secret, as the command said.
  const technicalToken = readFileSync(join(folder.path, 'secrets', 'notes.token'), 'utf8').trim();
  const notes = createNotesBackend({
    issuer,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    audience: url,
    technicalToken,
  });
  const application = Bun.serve({ hostname: '127.0.0.1', port: notesPort, fetch: notes.fetch });
  parts.defer(() => application.stop(true));
  const gateway = await startGateway({ args: ['--config', config], cwd: folder.path, port });
  parts.defer(async () => void (await gateway.stop()));

  const { accessToken: token } = await signUpForTokens({
    issuer,
    resource: url,
    email: 'ada@example.com',
    readLink: listening.demo.inbox.readLink,
  });
  await waitForTool(url, token, 'notes_list_notes');
  const explained = await run(`explain notes_list_notes --call {} --token - --config ${config}`, {
    cwd: folder.path,
    environment: { HOME: folder.path },
    stdin: [token],
  });
  expect(explained.stdout).toMatch(/^pass +application +answered: /m);
  expect(explained.exitCode).toBe(0);

  const client = await connectClient('v2, modern', url, token, 'stdio');
  expect(await client.tools()).toContain('notes_write_note');
  expect((await client.call('notes_write_note', { title: 'T', text: 'By way of lines.' })).isError).toBe(
    false,
  );
  expect((await client.call('notes_list_notes')).text).toContain('T');
  await client.close();
});
