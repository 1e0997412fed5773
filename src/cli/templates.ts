import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const templateNames = ['bun', 'node', 'python', 'go'] as const;
export type TemplateName = (typeof templateNames)[number];

/** How a copied template is started: one line for a shell, in the template's folder. */
export const startCommands: Readonly<Record<TemplateName, string>> = {
  bun: 'bun install --silent && bun backend.ts',
  node: 'node backend.js',
  python:
    'python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt && .venv/bin/python backend.py',
  go: 'go run .',
};

/** How its own test is run, once it has been started. */
export const testCommands: Readonly<Record<TemplateName, string>> = {
  bun: 'bun test',
  node: 'node --test',
  python: '.venv/bin/python -m unittest',
  go: 'go test ./...',
};

/** The files of a template: path below its folder -> text. They lie in the binary, or beside the sources. */
export function templateFiles(name: TemplateName): ReadonlyMap<string, string> {
  const root = [
    join(import.meta.dirname, 'templates'),
    join(import.meta.dirname, '..', '..', 'templates'),
  ].find((folder) => existsSync(folder));
  if (root === undefined) throw new Error('this build holds no templates');
  const folder = join(root, name);
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return new Map(
    paths
      .filter((path) => statSync(join(folder, path)).isFile())
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  );
}

/** A template's text with its example's name, `tasks`, replaced where the backend is named. */
export function renamed(text: string, id: string): string {
  return text
    .replaceAll('mcp:tasks:', `mcp:${id}:`)
    .replaceAll('"tasks-backend"', `"${id}-backend"`)
    .replaceAll('example.com/tasks', `example.com/${id}`)
    .replaceAll(/^ {2}tasks:$/gm, `  ${id}:`);
}
