import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

/** A command as a reader would type it. */
export interface DocumentedCommand {
  readonly page: string;
  /** Where its block begins. */
  readonly line: number;
  /** With continued lines joined, and without its comment. */
  readonly text: string;
}

/** The pages whose commands are run, in the order of reading. */
export const pages: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...below('docs'),
  ...below('src'),
  ...below('templates'),
];

function below(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => join(folder, name));
}

interface Block {
  readonly line: number;
  readonly language: string;
  readonly lines: readonly string[];
}

/** The fenced blocks of a page, whatever they hold. */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { line: number; language: string; lines: string[] } | undefined;
  for (const [index, line] of readFileSync(join(root, page), 'utf8').split('\n').entries()) {
    const fence = /^\s*```(.*)$/.exec(line)?.[1];
    if (fence === undefined) open?.lines.push(line);
    else if (open === undefined) open = { line: index + 1, language: fence.trim(), lines: [] };
    else {
      blocks.push(open);
      open = undefined;
    }
  }
  return blocks;
}

/** Every command of the blocks marked `sh`. */
export function commandsOf(page: string): readonly DocumentedCommand[] {
  return blocksOf(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ line, lines }) => wholeCommands(lines).map((text) => ({ page, line, text })));
}

/** Lines joined where one goes on after a backslash, or up to the end of a document given on stdin. */
function wholeCommands(lines: readonly string[]): readonly string[] {
  const commands: string[] = [];
  let open: string[] = [];
  let until: string | undefined;
  for (const line of lines) {
    if (open.length === 0 && /^\s*(?:#|$)/.test(line)) continue;
    open.push(line);
    until ??= /<<-?\s*'?(\w+)'?/.exec(line)?.[1];
    const goesOn = until === undefined ? line.endsWith('\\') : line !== until;
    if (goesOn) continue;
    commands.push(open.join('\n').replace(/\s+# [^\n'"]*$/, ''));
    open = [];
    until = undefined;
  }
  return open.length === 0 ? commands : [...commands, open.join('\n')];
}
