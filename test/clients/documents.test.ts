import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { demoText } from '#cli/demo-text.ts';
import { clients } from '#clients/clients.ts';
import { commandLine } from '#clients/command-line.ts';
import { snippet } from '#clients/snippet.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs', 'connect');
const entry = { name: 'cortex', url: 'https://mcp.example.com/mcp', bridge: ['cortex', 'stdio'] };

describe('the table of clients', () => {
  test('has a page for each client, and a source with when it was read', () => {
    for (const { id, source, checked } of clients) {
      expect(existsSync(join(docs, `${id}.md`)), id).toBe(true);
      expect(source).toMatch(/^https:\/\//);
      expect(checked).toMatch(/^20\d\d-[01]\d(?:-[0-3]\d)?$/);
    }
  });

  test.each(clients)(
    'the page of $title has its commands, its file and its source, to the letter',
    (client) => {
      const page = readFileSync(join(docs, `${client.id}.md`), 'utf8');
      for (const words of client.commands(entry)) expect(page).toContain(commandLine(words));
      expect(page).toContain(client.source);
      const { file } = client;
      if (file === undefined) return;
      const written = page.replaceAll('http://127.0.0.1:3213/mcp', entry.url);
      const [example] = [...written.matchAll(/^```(?:json|toml|yaml)\n([\s\S]*?)^```/gm)].map(
        ([, code = '']) => code,
      );
      if (file.format === 'json') expect(JSON.parse(example ?? '')).toEqual(JSON.parse(snippet(file, entry)));
      else expect(example?.trimEnd()).toBe(snippet(file, entry));
    },
  );

  test('is what the index says of who calls the gateway', () => {
    const index = readFileSync(join(docs, '..', 'README.md'), 'utf8').split('\n');
    for (const { id, title, calledBy } of clients) {
      const start = calledBy === 'the vendor' ? 'From the vendor' : 'From your machine';
      expect(index.find((line) => line.startsWith(start))).toContain(`[${title}](connect/${id}.md)`);
    }
  });

  test('is what the demo prints: each command as a person can paste it', () => {
    const output = { paint: (_style: string, text: string) => text };
    const text = demoText(
      { ...silent, ...output },
      {
        url: entry.url,
        issuer: 'https://auth.example.com',
        token: undefined,
        configFile: 'x',
        console: undefined,
      },
    );
    for (const { title, commands } of clients) {
      const [first] = commands(entry);
      if (first !== undefined)
        expect(text).toMatch(new RegExp(`^ {2}${title} +${RegExp.escape(commandLine(first))}$`, 'm'));
    }
  });
});

const silent = {
  mayPaint: false,
  isJson: false,
  line: () => {},
  table: () => {},
  during: (_what: string, work: () => Promise<never>) => work(),
  document: () => {},
  jsonLine: () => {},
  note: () => {},
  warn: () => {},
  failure: () => {},
  detail: () => {},
};
