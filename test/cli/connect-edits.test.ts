import { chown, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { stringify as stringifyToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { stringify as stringifyYaml } from 'yaml';
import { putEntry, readEntry, removeEntry } from '#cli/connect/edit-entry.ts';
import { lookAtFile, replaceFile } from '#cli/connect/owned-file.ts';
import type { ClientFile } from '#clients/client.ts';
import { clients } from '#clients/clients.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const entry = { name: 'cortex', url: 'https://mcp.example.com/mcp?mode=search', bridge: ['cortex', 'stdio'] };

function fileOf(id: string): ClientFile {
  const file = clients.find((client) => client.id === id)?.file;
  if (file === undefined) throw new Error(`${id} has no file`);
  return file;
}

const key = fc
  .oneof(fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/), fc.string({ maxLength: 6 }))
  .filter((text) => text !== '__proto__' && text !== 'cortex');
const scalar = fc.oneof(fc.boolean(), fc.integer(), fc.string({ maxLength: 12 }));
const server = fc.record({
  url: fc.string({ maxLength: 12 }),
  args: fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
});

/** What a file may hold besides: any other keys, and other servers where ours will stand. */
const around = fc.record({
  rest: fc.dictionary(key, fc.oneof(scalar, fc.dictionary(key, scalar, { maxKeys: 3 })), { maxKeys: 4 }),
  others: fc.dictionary(key, server, { maxKeys: 3 }),
  indent: fc.constantFrom(2, 4, '\t'),
});

const formats = [
  ['cursor', (value: unknown, indent: string | number) => JSON.stringify(value, undefined, indent)],
  ['openclaw', (value: unknown) => JSON.stringify(value)],
  ['codex', (value: unknown) => stringifyToml(value)],
  [
    'hermes',
    (value: unknown, indent: string | number) => stringifyYaml(value, { indent: indent === 4 ? 4 : 2 }),
  ],
] as const;

describe('an entry in a file', () => {
  test.each(formats)(
    'of %s goes in and out of any other content, and the rest says what it said',
    (id, write) => {
      const file = fileOf(id);
      fc.assert(
        fc.property(around, ({ rest, others, indent }) => {
          const [outer = '', ...inner] = file.under;
          const servers = inner.reduceRight<unknown>((below, name) => ({ [name]: below }), others);
          const before = write({ ...rest, [outer]: servers }, indent);
          const put = putEntry(file, before, entry);
          if (!put.ok) throw new Error(`${put.error.kind} in ${JSON.stringify(before)}`);
          const present = readEntry(file, put.value, entry.name);
          expect(present.ok && present.value).toEqual(file.members(entry));
          expect(putEntry(file, put.value, entry)).toEqual(put);
          // Every line of before is still there, in its order: nothing was written anew.
          const lines = put.value.split('\n').values();
          const kept = id === 'openclaw' ? [] : before.split('\n').filter((line) => /\w/.test(line));
          for (const line of kept) {
            const bare = line.replace(/: \{\}$/, ':').replace(/ \{\}$/, ' {');
            if (!lines.some((other) => other.startsWith(bare.trimEnd().replace(/[}\]]+$/, '')))) {
              throw new Error(`${JSON.stringify(line)} is gone from ${JSON.stringify(put.value)}`);
            }
          }
          const removed = removeEntry(file, put.value, entry.name);
          if (!removed.ok) throw new Error(`${removed.error.kind} in ${JSON.stringify(put.value)}`);
          expect(readEntry(file, removed.value, entry.name)).toEqual({ ok: true, value: undefined });
        }),
        { numRuns: 300 },
      );
    },
  );

  test('of a client that starts a command replaces another bridge, and nothing that is none', () => {
    const file = fileOf('claude-desktop');
    const text = (args: string) =>
      `{"mcpServers":{"cortex":{"command":"npx","args":${args},"env":{"A":"b"}}}}`;
    const put = putEntry(file, text('["-y","mcp-remote","http://127.0.0.1:3213/mcp"]'), entry);
    expect(put.ok && JSON.parse(put.value)).toEqual({
      mcpServers: { cortex: { command: 'cortex', args: ['stdio', entry.url], env: { A: 'b' } } },
    });
    expect(putEntry(file, text('["-y","my-cortex"]'), entry)).toEqual({
      ok: false,
      error: { kind: 'another_server' },
    });
  });
});

describe('an entry that the client’s own command made', () => {
  const file = fileOf('gemini-cli');
  const made = (url: string) => `{"mcpServers":{"cortex":{"url":"${url}","type":"http"}}}`;

  test('is good as it is, and gets another address in the place where it has one', () => {
    expect(putEntry(file, made(entry.url), entry)).toEqual({ ok: true, value: made(entry.url) });
    expect(putEntry(file, made('http://127.0.0.1:3213/mcp'), entry)).toEqual({
      ok: true,
      value: made(entry.url),
    });
  });
});

describe('a file of the person’s own', () => {
  test('attack: a file that another program changed since it was read is not replaced', async () => {
    await using folder = await createTempFolder();
    const path = join(folder.path, 'mcp.json');
    await writeFile(path, '{"a":1}');
    const seen = await lookAtFile(path, undefined);
    await writeFile(path, '{"a":2}');
    await expect(replaceFile(seen, '{"a":1,"b":2}', new Date(0))).rejects.toThrow(
      'changed by another program',
    );
    expect(await readFile(path, 'utf8')).toBe('{"a":2}');
    expect(await readdir(folder.path)).toEqual(['mcp.json']);
  });

  test('attack: a file that came to lie there since nothing was found is not replaced', async () => {
    await using folder = await createTempFolder();
    const path = join(folder.path, 'deep', 'mcp.json');
    const seen = await lookAtFile(path, undefined);
    await Bun.write(path, 'mine');
    await expect(replaceFile(seen, '{}', new Date(0))).rejects.toThrow('EEXIST');
    expect(await readFile(path, 'utf8')).toBe('mine');
    expect(await readdir(join(folder.path, 'deep'))).toEqual(['mcp.json']);
  });

  test('two changes in one second keep both copies of before', async () => {
    await using folder = await createTempFolder();
    const path = join(folder.path, 'mcp.json');
    const copies: (string | undefined)[] = [];
    for (const text of ['one', 'two', 'three']) {
      copies.push(await replaceFile(await lookAtFile(path, undefined), text, new Date(0)));
    }
    const stamp = `${path}.before-cortex-19700101T000000`;
    expect(copies).toEqual([undefined, stamp, `${stamp}-2`]);
    expect(await readFile(`${stamp}-2`, 'utf8')).toBe('two');
  });

  test.skipIf(process.getuid?.() !== 0)('attack: as root, a file of another user is left alone', async () => {
    await using folder = await createTempFolder();
    const path = join(folder.path, 'mcp.json');
    await writeFile(path, '{}');
    await chown(path, 4242, 4242);
    await expect(lookAtFile(path, undefined)).rejects.toThrow('belongs to another user');
  });
});
