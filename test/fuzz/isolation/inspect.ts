import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, parseJson } from '#kernel/json.ts';
import { canariesIn, type Place } from './canary.ts';
import type { World } from './world.ts';

/** What the audit, the log and the tables are there to keep in plain text: names of tools and agents, reports of users. */
const mayBeKept: ReadonlySet<Place> = new Set<Place>(['tool', 'agent', 'ticket']);
/** The end of a token, which is its signature or its random part, is looked for: the beginnings are all alike. */
const tailLength = 20;

/**
 * What the files on disk and the log hold that they must not: a token or client secret, or what somebody was shown or
 * said. And whether one pseudonym of the audit ever stood for two people. The database alone is looked at more often,
 * and there for the newest tokens.
 */
export function inspect(world: World, what: 'database' | 'everything'): readonly string[] {
  const secrets = [...world.parties.secrets];
  const files = filesBelow(join(world.folder.path, 'state'));
  if (what === 'database') {
    const newest = tailsOf(secrets.slice(-50));
    return files.filter((path) => path.includes('.db')).flatMap((path) => inFile(path, newest));
  }
  const tails = tailsOf(secrets);
  return [
    ...files.flatMap((path) => inFile(path, tails)),
    ...inLog(world.gateway.logged, tails),
    ...sharedPseudonyms(files.filter((path) => path.endsWith('.jsonl'))),
  ];
}

function tailsOf(secrets: readonly string[]): ReadonlyMap<string, string> {
  return new Map(secrets.map((secret) => [secret.slice(-tailLength), secret]));
}

function inFile(path: string, tails: ReadonlyMap<string, string>): readonly string[] {
  const text = readFileSync(path, 'latin1');
  const kept = canariesIn(text)
    .map(({ found }) => found)
    .filter((found) => !mayBeWritten(found));
  return [...new Set([...kept, ...secretsIn(text, tails)])].map((found) => `${path} holds ${found}`);
}

function mayBeWritten(canary: string): boolean {
  return [...mayBeKept].some((place) => canary.endsWith(`-${place}`));
}

function inLog(lines: readonly string[], tails: ReadonlyMap<string, string>): readonly string[] {
  return lines.flatMap((line) => {
    const canary = canariesIn(line.slice(line.indexOf('}: '))).find(({ found }) => !mayBeWritten(found));
    const [secret] = secretsIn(line, tails);
    const fault = /\.fault /.test(line) ? line : undefined;
    const found = canary?.found ?? secret ?? fault;
    return found === undefined ? [] : [`the log holds ${found}: ${line}`];
  });
}

/** Tables put values side by side without anything between: a token may begin and end anywhere. */
function secretsIn(text: string, tails: ReadonlyMap<string, string>): readonly string[] {
  const found = new Set<string>();
  if (tails.size <= 50) {
    for (const [tail, secret] of tails) if (text.includes(tail)) found.add(secret);
    return [...found];
  }
  for (const run of text.match(/[A-Za-z0-9_-]{20,}/g) ?? []) {
    for (let at = 0; at + tailLength <= run.length; at++) {
      const secret = tails.get(run.slice(at, at + tailLength));
      if (secret !== undefined) found.add(secret);
    }
  }
  return [...found];
}

function sharedPseudonyms(paths: readonly string[]): readonly string[] {
  const people = new Map<unknown, Set<string>>();
  for (const line of paths.flatMap((path) => readFileSync(path, 'utf8').split('\n'))) {
    if (!line.includes('zqxzqx')) continue;
    const parsed = parseJson(line);
    if (!parsed.ok || !isJsonObject(parsed.value) || parsed.value.user === undefined) continue;
    const { user } = parsed.value;
    for (const { owner } of canariesIn(line)) people.set(user, (people.get(user) ?? new Set()).add(owner));
  }
  return [...people]
    .filter(([, owners]) => owners.size > 1)
    .map(([user, owners]) => `the pseudonym ${String(user)} stands for ${[...owners].join(' and ')}`);
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const info = statSync(path);
    return info.isDirectory() ? filesBelow(path) : info.isFile() ? [path] : [];
  });
}
