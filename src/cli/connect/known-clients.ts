import type { Client, ClientFile, Entry, Platform } from '#clients/client.ts';
import { clients } from '#clients/clients.ts';
import { nearest } from '#config/nearest.ts';
import { UserError } from '../errors.ts';
import type { Terminal } from '../terminal.ts';
import { clientPath } from './client-path.ts';
import { readEntry } from './edit-entry.ts';

/** How a client is on this machine. */
export type ClientState = 'connected' | 'found' | 'not found' | 'unknown';

/** The client that a person means: by its id or title, however spelled, or a part of one. */
export function clientNamed(word: string): Client {
  const wanted = plain(word);
  const exact = clients.find(({ id, title }) => plain(id) === wanted || plain(title) === wanted);
  if (exact !== undefined) return exact;
  const meant = clients.filter(({ id, title }) => plain(id + title).includes(wanted));
  const [only] = meant;
  if (only !== undefined && meant.length === 1) return only;
  const ids = (meant.length > 0 ? meant : clients).map(({ id }) => id);
  const guess = nearest(word, ids);
  throw new UserError(
    meant.length > 1
      ? `${JSON.stringify(word)} could be several`
      : `there is no client ${JSON.stringify(word)}`,
    { next: `cortex connect ${guess ?? ids.join('|')}` },
  );
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** Whether a client is on this machine and has the gateway already. Nothing is run for that. */
export async function stateOf(
  client: Client,
  entry: Entry,
  platform: Platform,
  terminal: Terminal,
): Promise<ClientState> {
  const { file, program } = client;
  if (file === undefined) return 'unknown';
  const path = clientPath(file, 'user', platform, terminal);
  const text = path === undefined ? undefined : await readQuietly(path);
  if (text !== undefined && isConnected(file, text, entry)) return 'connected';
  const PATH = terminal.environment.PATH ?? '';
  const isInstalled = program !== undefined && Bun.which(program, { PATH }) !== null;
  return text !== undefined || isInstalled ? 'found' : 'not found';
}

function isConnected(file: ClientFile, text: string, entry: Entry): boolean {
  const present = readEntry(file, text, entry.name);
  if (!present.ok || present.value === undefined) return false;
  // By whichever bridge.
  return Object.values(present.value).flat().includes(entry.url);
}

async function readQuietly(path: string): Promise<string | undefined> {
  return Bun.file(path)
    .text()
    .catch(() => undefined);
}
