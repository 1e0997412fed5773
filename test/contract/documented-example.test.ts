import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Secret } from '#kernel/secret.ts';
import { connect, context, search } from '../backends/setup.ts';
import { createIssuer } from '../support/issuer.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { principal } from './principal.ts';

const root = join(import.meta.dirname, '..', '..');

async function startExample(folder: string, environment: Readonly<Record<string, string>>) {
  const page = await Bun.file(join(root, 'docs', 'contract.md')).text();
  const code = /```js\n([\s\S]+?)```/.exec(page)?.[1] ?? '';
  await Bun.write(join(folder, 'backend.js'), code);
  await Bun.write(join(folder, 'package.json'), '{"type":"module"}');
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const child = Bun.spawn([process.execPath, join(folder, 'backend.js')], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', PORT: '0', ...environment },
    stdout: 'pipe',
    stderr: 'inherit',
  });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    const port = /listening on (\d+)/.exec(text)?.[1];
    if (port !== undefined) {
      return {
        url: `http://127.0.0.1:${port}/api/cortex/backend`,
        async [Symbol.asyncDispose]() {
          child.kill();
          await child.exited;
        },
      };
    }
  }
  throw new Error('the example did not start');
}

test('the backend in docs/contract.md runs as it stands there', async () => {
  const audience = 'https://gateway.example/mcp';
  await using folder = await createTempFolder();
  await using issuer = await createIssuer({ audience });
  await using example = await startExample(folder.path, {
    CORTEX_TECHNICAL_TOKEN: 'technical-token',
    OAUTH_ISSUER: issuer.url,
    OAUTH_AUDIENCE: audience,
    OAUTH_JWKS_URI: issuer.jwksUrl,
  });
  await using connected = connect(example.url);
  const { backend } = connected;
  const as = async (scope: string) =>
    context({ principal: principal({ token: new Secret(await issuer.mint({ scope })) }) });

  const found = await backend.discover(undefined, new AbortController().signal);
  expect(found).toMatchObject({
    ok: true,
    value: {
      problems: [],
      catalog: {
        tools: [
          { name: 'rename_document', scopes: ['mcp:docs:write'] },
          { name: 'search_documents', scopes: ['mcp:docs:read'], isReadOnly: true },
        ],
        prompts: [],
      },
    },
  });

  const reader = await as('mcp:docs:read');
  const searching = search({ name: 'search_documents', arguments: { query: 'Budget' } });
  expect((await backend.call(searching, reader)).outcome).toMatchObject({
    ok: true,
    value: { kind: 'json', text: '{"documents":[{"id":"d1","owner":"user-1","title":"Budget 2027"}]}' },
  });
  const renaming = search({ name: 'rename_document', arguments: { id: 'd7', title: 'x' } });
  expect((await backend.call(renaming, reader)).outcome).toMatchObject({
    ok: false,
    error: { reason: 'scope_missing', requiredScopes: ['mcp:docs:write'] },
  });
  expect((await backend.call(renaming, await as('mcp:docs:write'))).outcome).toMatchObject({
    ok: false,
    error: { reason: 'invalid', status: 404, message: 'There is no document d7 of yours.' },
  });
  expect((await backend.call(searching, context())).outcome).toMatchObject({
    ok: false,
    error: { reason: 'token_refused' },
  });
  expect((await backend.whoami(reader)).outcome).toMatchObject({ ok: true, value: { user: 'user-1' } });
  expect((await backend.complete({}, {}, reader)).outcome).toMatchObject({
    ok: false,
    error: { reason: 'unsupported' },
  });
});
