// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the planted sources are text.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { architectureViolations, type Rule } from './support/architecture-rules.ts';
import { maskSource } from './support/typescript-source.ts';

const root = join(import.meta.dirname, '..');

function sourceTree(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(root.length + 1), readFileSync(path, 'utf8'));
  }
  return files;
}

function rulesBrokenBy(path: string, text: string): readonly Rule[] {
  return architectureViolations(new Map([[path, text]])).map((violation) => violation.rule);
}

describe('the source tree', () => {
  test('keeps the floors, the homes of packages and the rules of style', () => {
    const violations = architectureViolations(sourceTree());
    expect(violations.map(({ rule, file, line, message }) => `${file}:${line} ${rule}: ${message}`)).toEqual(
      [],
    );
  });

  test('is seen: the walk finds the vocabulary and the ports', () => {
    const tree = sourceTree();
    expect(tree.size).toBeGreaterThan(10);
    expect([...tree.keys()]).toContain('src/kernel/result.ts');
    expect([...tree.keys()]).toContain('src/backends/backend.ts');
  });
});

describe('the judge', () => {
  test('refuses a tree without files', () => {
    expect(architectureViolations(new Map()).map((violation) => violation.rule)).toEqual(['no-files']);
    expect(architectureViolations(new Map([['test/a.test.ts', 'export {}']])).map((v) => v.rule)).toEqual([
      'no-files',
    ]);
  });

  const planted: readonly (readonly [name: string, rule: Rule, path: string, text: string])[] = [
    ['an import of a higher floor', 'floor', 'src/kernel/a.ts', "import { b } from '#mcp/b.ts';"],
    ['an import of the same floor', 'floor', 'src/auth/a.ts', "import type { B } from '#audit/b.ts';"],
    ['an import of the gateway', 'floor', 'src/server/a.ts', "import { createGateway } from '#gateway.ts';"],
    ['an import of the commands', 'floor', 'src/gateway.ts', "import { run } from '#cli/run.ts';"],
    [
      'a dynamic import of a higher floor',
      'floor',
      'src/wire/a.ts',
      "const b = await import('#server/b.ts');",
    ],
    ['a re-export of a higher floor', 'floor', 'src/wire/a.ts', "export { b } from '#server/b.ts';"],
    ['the demo outside the commands', 'floor', 'src/server/a.ts', "import { demo } from '#demo/demo.ts';"],
    ['a folder without a floor', 'unknown-folder', 'src/plugins/a.ts', 'export const a = 1;'],
    [
      'a relative path out of the folder',
      'leaves-folder',
      'src/mcp/a.ts',
      "import { ok } from '../kernel/result.ts';",
    ],
    ['a relative path out of src', 'leaves-folder', 'src/mcp/a.ts', "import { x } from '../../test/x.ts';"],
    ['a package away from home', 'package-home', 'src/mcp/a.ts', "import { jwtVerify } from 'jose';"],
    [
      'a sub-path of a package away from home',
      'package-home',
      'src/mcp/a.ts',
      "import x from 'jose/jwt/verify';",
    ],
    [
      'an MCP package in the protocol code',
      'package-home',
      'src/mcp/a.ts',
      "import type { Tool } from '@modelcontextprotocol/server';",
    ],
    ['a package without a home', 'package-home', 'src/mcp/a.ts', "import _ from 'lodash';"],
    ['the runtime stub of undici', 'package-home', 'src/outbound/a.ts', "import { Pool } from 'undici';"],
    ['bun:sqlite away from home', 'package-home', 'src/audit/a.ts', "import { Database } from 'bun:sqlite';"],
    ['node:sqlite anywhere', 'package-home', 'src/store/a.ts', "import { DatabaseSync } from 'node:sqlite';"],
    ['a side-effect import away from home', 'package-home', 'src/mcp/a.ts', "import 'nodemailer';"],
    ['a fetch of our own', 'package-home', 'src/auth/a.ts', 'const answer = await fetch(url);'],
    ['a raw socket', 'package-home', 'src/mcp/a.ts', 'const socket = Bun.connect({});'],
    ['a default export', 'default-export', 'src/mcp/a.ts', 'export default function a() {}'],
    ['a renamed default export', 'default-export', 'src/mcp/a.ts', 'const a = 1;\nexport { a as default };'],
    ['an index file', 'barrel', 'src/mcp/index.ts', 'export const a = 1;'],
    ['a star re-export', 'barrel', 'src/mcp/a.ts', "export * from './b.ts';"],
    ['a named re-export', 'barrel', 'src/mcp/a.ts', "export { b } from './b.ts';"],
    ['a type re-export', 'barrel', 'src/mcp/a.ts', "export type { B } from './b.ts';"],
    ['a cast', 'cast', 'src/mcp/a.ts', 'const a = b as string;'],
    ['a double cast', 'cast', 'src/mcp/a.ts', 'const a = f(b) as unknown as { c: 1 };'],
    ['a cast inside a template', 'cast', 'src/mcp/a.ts', 'const a = `x${(b as string)}y`;'],
    ['a cast after a string', 'cast', 'src/mcp/a.ts', "const a = 'b' as Branded;"],
    ['console', 'console', 'src/mcp/a.ts', 'console.log(1);'],
    ['an environment read', 'environment', 'src/mcp/a.ts', 'const a = process.env.HOME;'],
    ['a drawer of a file', 'file-name', 'src/mcp/utils.ts', 'export const a = 1;'],
    ['a drawer of a folder', 'file-name', 'src/mcp/helpers/a.ts', 'export const a = 1;'],
    ['a lib', 'file-name', 'src/mcp/lib.ts', 'export const a = 1;'],
    ['a common', 'file-name', 'src/common/a.ts', 'export const a = 1;'],
    ['an error code of its own', 'wire-code', 'src/mcp/a.ts', 'const code = -32602;'],
    ['unfinished work', 'unfinished', 'src/mcp/a.ts', '// TODO later'],
  ];
  test.each(planted)('finds %s', (_name, rule, path, text) => {
    expect(rulesBrokenBy(path, text)).toContain(rule);
  });

  const innocent: readonly (readonly [name: string, path: string, text: string])[] = [
    [
      'lower floors, renamed imports and namespaces',
      'src/mcp/a.ts',
      "import { ok as fine } from '#kernel/result.ts';\nimport * as time from '#kernel/clock.ts';\nimport { b } from './b.ts';\nconst c = 1;\nexport { c as d };",
    ],
    [
      'a rename over several lines',
      'src/mcp/a.ts',
      "import {\n  type Result as Outcome,\n  ok as fine,\n} from '#kernel/result.ts';",
    ],
    [
      'as const, as a key and in prose',
      'src/mcp/a.ts',
      "const a = [1] as const;\nconst b = { as: 1 };\n// treat b as string\nconst c = 'b as string';\nconst d = `same as ${a} as before`;",
    ],
    [
      'forbidden words in strings and comments',
      'src/mcp/a.ts',
      "// console.log, export default\nconst a = 'console.log(process.env)';\nconst b = /console.log('/;",
    ],
    [
      'a package at home',
      'src/auth/a.ts',
      "import { jwtVerify } from 'jose';\nimport { join } from 'node:path';",
    ],
    [
      'a fetch that is not the global one',
      'src/server/a.ts',
      'const answer = await gateway.fetch(request);\nconst handler = { fetch(request: Request) { return answer; } };',
    ],
    ['a deeper folder', 'src/mcp/eras/a.ts', "import { b } from '../b.ts';"],
    ['the table of error codes', 'src/wire/rpc-errors.ts', 'export const a = { b: -32602 } as const;'],
    ['console in a command', 'src/cli/a.ts', 'console.log(process.env.HOME);'],
    ['the gateway wiring everything', 'src/gateway.ts', "import { s } from '#server/serve.ts';"],
  ];
  test.each(innocent)('lets pass %s', (_name, path, text) => {
    expect(architectureViolations(new Map([[path, text]]))).toEqual([]);
  });

  test('masks comments, strings, templates and regular expressions without moving anything', () => {
    const source =
      "const a = 'x'; // y\nconst b = `p${a + `q${1}`}r`;\nconst c = a / 2 / 3;\nconst d = /['\"/]/g;\n";
    const masked = maskSource(source);
    expect(masked).toHaveLength(source.length);
    expect(masked).toBe(
      "const a = ' ';     \nconst b = ` ${a + ` ${1}`} `;\nconst c = a / 2 / 3;\nconst d = /     /g;\n",
    );
  });
});
