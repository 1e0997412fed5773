import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTempFolder } from '../support/temp-folder.ts';

const source = join(import.meta.dirname, '..', '..', 'src', 'outbound', 'outbound.ts');

const entry = `
import { createOutbound } from ${JSON.stringify(source)};
const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('hello') });
const asked = [];
const outbound = createOutbound({
  lookup: (host, options, callback) => {
    asked.push(host);
    if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
    else callback(null, '127.0.0.1', 4);
  },
});
const answer = await outbound.request({
  method: 'GET', url: 'http://no-such-name.invalid:' + server.port + '/', headers: {}, timeoutMs: 2000, maxBytes: 100,
});
console.log(JSON.stringify({ body: answer.ok ? answer.value.body : answer.error, asked }));
await outbound.close();
await server.stop(true);
`;

test('a compiled binary carries the real undici, too: the given look-up is asked', async () => {
  await using folder = await createTempFolder();
  const entryFile = join(folder.path, 'entry.ts');
  const binary = join(folder.path, 'outbound-check');
  await Bun.write(entryFile, entry);
  const build = Bun.spawn([process.execPath, 'build', '--compile', entryFile, '--outfile', binary], {
    cwd: folder.path,
    stdout: 'ignore',
    stderr: 'pipe',
  });
  expect(await build.exited).toBe(0);
  const run = Bun.spawn([binary], { cwd: folder.path, stdout: 'pipe' });
  const output: unknown = JSON.parse(await new Response(run.stdout).text());
  expect(output).toEqual({ body: 'hello', asked: ['no-such-name.invalid'] });
});
