import { type Client, type ClientFile, type Entry, type Platform, platforms } from '#clients/client.ts';
import { clients } from '#clients/clients.ts';
import { commandLine } from '#clients/command-line.ts';
import { isLocalAddress } from '#clients/local-address.ts';
import { snippet } from '#clients/snippet.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { clientPath } from '../connect/client-path.ts';
import { type EditRefusal, putEntry, removeEntry } from '../connect/edit-entry.ts';
import { gatewayAddress } from '../connect/gateway-address.ts';
import { clientNamed, stateOf } from '../connect/known-clients.ts';
import { lookAtFile, replaceFile } from '../connect/owned-file.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { ownCommand } from '../own-command.ts';
import { visibleText } from '../visible-text.ts';

/** Shows how clients are connected, and writes it into their files. */
export async function connect(invocation: Invocation): Promise<number> {
  const { args, options } = invocation;
  const name = entryName(options.text('name'));
  if (options.has('write') && options.has('remove'))
    throw new UserError('--write and --remove are opposites', { next: 'give one of them' });
  const [word] = args;
  if (word === undefined) {
    if (options.has('write') || options.has('remove'))
      throw new UserError('which client?', { next: 'cortex connect, for the list' });
    return showAll(invocation, await entryOf(invocation, name));
  }
  const client = clientNamed(word);
  if (options.has('remove')) return change(invocation, client, name, undefined);
  const entry = await entryOf(invocation, name);
  return options.has('write') ? change(invocation, client, name, entry) : show(invocation, client, entry);
}

/** Programs that are started from a desktop find no command by its name: this very file is named. */
async function entryOf(invocation: Invocation, name: string): Promise<Entry> {
  return { name, url: await gatewayAddress(invocation), bridge: ownCommand('stdio') };
}

async function showAll({ terminal, output }: Invocation, entry: Entry): Promise<number> {
  const states = await Promise.all(
    clients.map(async (client) => ({
      client,
      state: await stateOf(client, entry, thisPlatform(), terminal),
    })),
  );
  if (output.isJson) {
    const list = states.map(({ client: { id, title, calledBy }, state }) => ({
      client: id,
      title,
      called_by: calledBy,
      state: state === 'unknown' ? null : state,
    }));
    output.document({ name: entry.name, url: entry.url, clients: list });
    return exitCodes.done;
  }
  output.note(`${visibleText(entry.url)}, as ${entry.name}`);
  output.note('');
  const rows = states.map(({ client, state }) => [
    client.title,
    state === 'unknown' ? 'in its settings' : state,
    `cortex connect ${client.id}`,
  ]);
  output.table({
    head: ['client', 'here', 'how'],
    rows,
    style: (at) => (states[at]?.state === 'connected' ? 'green' : undefined),
  });
  return exitCodes.done;
}

function show(invocation: Invocation, client: Client, entry: Entry): number {
  const { output, options } = invocation;
  const commands = client.commands(entry).map(commandLine);
  const { file, calledBy } = client;
  const path = file === undefined ? undefined : pathOf(invocation, client, file);
  const steps = client.steps?.(entry) ?? [];
  if (output.isJson) {
    const described: JsonObject = {
      client: client.id,
      title: client.title,
      name: entry.name,
      url: entry.url,
      called_by: calledBy,
      commands,
      file:
        file === undefined
          ? null
          : { path: path ?? null, format: file.format, content: snippet(file, entry) },
      install_link: client.installLink?.(entry) ?? null,
      steps,
      sign_in: client.signIn,
      source: client.source,
      checked: client.checked,
    };
    output.document(described);
    return exitCodes.done;
  }
  if (calledBy === 'the vendor' && isLocalAddress(entry.url)) {
    output.warn(
      `warning: ${client.title} calls from its vendor’s servers, which do not reach ${visibleText(entry.url)}`,
    );
  }
  for (const step of steps) output.line(visibleText(step));
  if (commands.length > 0) {
    output.note('Type:');
    for (const line of commands) output.line(visibleText(line));
  } else if (file !== undefined) {
    output.note(`In ${path ?? file.user[thisPlatform()]}:`);
    output.line(visibleText(snippet(file, entry)));
  }
  output.note(`Then: ${client.signIn}`);
  if (path !== undefined) {
    const again = ['url', 'name', 'scope'].flatMap((option) => {
      const value = options.text(option);
      return value === undefined ? [] : [`--${option}`, value];
    });
    output.note('');
    output.note(
      `To have ${path} written: ${commandLine(['cortex', 'connect', client.id, '--write', ...again])}`,
    );
  }
  return exitCodes.done;
}

async function change(
  invocation: Invocation,
  client: Client,
  name: string,
  entry: Entry | undefined,
): Promise<number> {
  const { output, terminal, options } = invocation;
  const { file } = client;
  if (file === undefined) {
    throw new UserError(`${client.title} keeps no file here: it is connected in its settings`, {
      next: `cortex connect ${client.id}`,
    });
  }
  const path = pathOf(invocation, client, file);
  if (path === undefined) throw new UserError('the home folder is not known', { next: 'set HOME' });
  const found = await lookAtFile(path, options.text('scope') === 'project' ? terminal.cwd : undefined);
  const text = found.text ?? '';
  const edited = entry === undefined ? removeEntry(file, text, name) : putEntry(file, text, entry);
  if (!edited.ok) throw refusal(edited.error, { client, path, name });
  const isChanged = edited.value !== text;
  const backup = isChanged ? await replaceFile(found, edited.value, new Date()) : undefined;
  if (output.isJson) {
    output.document({
      client: client.id,
      name,
      url: entry?.url ?? null,
      file: path,
      changed: isChanged,
      backup: backup ?? null,
    });
    return exitCodes.done;
  }
  const what = entry === undefined ? 'is gone from' : 'is in';
  const already = entry === undefined ? 'is not in' : 'is already in';
  output.line(`${name} ${isChanged ? what : already} ${path}`);
  // Whoever made the folder may have chosen it.
  if (entry !== undefined && options.text('url') === undefined)
    output.note(`It leads to ${visibleText(entry.url)}`);
  if (backup !== undefined) output.note(`The file as it was: ${backup}`);
  if (entry !== undefined && isChanged) output.note(`Then: ${client.signIn}`);
  return exitCodes.done;
}

function refusal(
  error: EditRefusal,
  of: { readonly client: Client; readonly path: string; readonly name: string },
): UserError {
  const byHand = { next: `add it by hand: cortex connect ${of.client.id}` };
  switch (error.kind) {
    case 'broken': {
      const { line, column, message } = error.broken;
      return new UserError(
        `${of.path}:${line}:${column}: ${visibleText(message)}. ${of.client.title} may not read it either; nothing was written`,
        { next: 'put that line right, then try again' },
      );
    }
    case 'no_map':
      return new UserError(
        `${of.path}: ${visibleText(error.key)} is not what it should be: nothing was written`,
        {
          next: 'put it right: the entry belongs into a map',
        },
      );
    case 'another_server':
      return new UserError(
        `${of.path} has another server called ${of.name}, of another kind: nothing was written`,
        { next: `another name: cortex connect ${of.client.id} --write --name ${of.name}-gateway` },
      );
    case 'not_foreseen':
      return new UserError(
        `${of.path} is written in a way that cannot be changed without touching the rest: nothing was written`,
        byHand,
      );
  }
}

function pathOf({ options, terminal }: Invocation, client: Client, file: ClientFile): string | undefined {
  const isProject = options.text('scope') === 'project';
  if (isProject && file.project === undefined) {
    throw new UserError(`${client.title} has no file for a project`, {
      next: `cortex connect ${client.id}, without --scope`,
    });
  }
  return clientPath(file, isProject ? 'project' : 'user', thisPlatform(), terminal);
}

function thisPlatform(): Platform {
  return platforms.find((platform) => platform === process.platform) ?? 'linux';
}

/** Short and plain: clients put it before the names of tools, or leave out what becomes too long. */
function entryName(given: string | undefined): string {
  const name = given ?? 'cortex';
  if (/^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(name)) return name;
  throw new UserError(`${JSON.stringify(name)} is no name for a server`, {
    next: 'letters, digits, - and _, at most 32 of them, a letter first: --name cortex',
  });
}
