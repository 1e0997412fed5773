import type { Client } from '#clients/client.ts';
import { clients } from '#clients/clients.ts';
import { commandLine } from '#clients/command-line.ts';

const example = { name: 'cortex', url: 'https://mcp.example.com/mcp', bridge: [] };

/** `docs/connect/README.md`, from the table of clients. */
export function connectPage(): string {
  return [
    '# Connect a client',
    '',
    '<!-- Made from src/clients/clients.ts by `bun run docs`. -->',
    '',
    '`cortex connect` lists the clients and tells which are on this machine. `cortex connect cursor` prints what to type or to write; with `--write` it writes the client’s file itself, and with `--remove` it takes the entry out again. Everything else in the file stays as it is, comments included, and the file as it was is kept beside it. A file that is broken, read-only, somebody else’s, or a link that leads out of the project is left alone.',
    '',
    'The address is that of the configuration in use, else of the demo on this machine; `--url` names another. Whoever has nothing installed opens the gateway’s own page: the address without `/mcp`. It shows the same for each client, to copy.',
    '',
    '| client | connect | then | who calls the gateway |',
    '|---|---|---|---|',
    ...clients.map((client) =>
      row(`[${client.title}](${client.id}.md)`, how(client), client.signIn, callerOf(client.calledBy)),
    ),
    '',
    'Beside them: [your own program](sdk.md), and [curl](curl.md).',
    '',
    '## The gateway’s own page',
    '',
    '![The address, the clients to choose from, and what to copy for one](../pictures/front-desktop-light.webp)',
    '',
    'Whoever opens the gateway’s origin in a browser, `https://mcp.example.com/`, sees its address and what to copy for each client; `https://mcp.example.com/#cursor` opens at one of them. `gateway.server_name` stands above it, and `gateway.website_url` is linked below. Anybody may read the page: it names no application, no issuer, no version and no number, and is the same for everybody. It works without JavaScript; with it the copy buttons appear. The policy allows its one script by hash, and nothing from elsewhere.',
    '',
    'A browser that opens `/mcp` itself gets the 401 of every call, with a page that leads here.',
    '',
    '## Their files',
    '',
    '`~` is the home folder.',
    '',
    '| client | Linux | macOS | Windows | of a project | moved by |',
    '|---|---|---|---|---|---|',
    ...clients.flatMap(({ title, file }) => {
      if (file === undefined) return [];
      const { linux, darwin, win32 } = file.user;
      const code = (text: string | undefined) => (text === undefined ? '' : `\`${text}\``);
      return [
        row(title, code(linux), code(darwin), code(win32), code(file.project), code(file.movedBy?.variable)),
      ];
    }),
    '',
    '## Where this is from',
    '',
    'Those with a version were tried: that version took the command, and read the file that `--write` makes. The others are by their documents.',
    '',
    '| client | tried | read on | source |',
    '|---|---|---|---|',
    ...clients.map(({ title, tried, checked, source }) => row(title, tried ?? '', checked, `<${source}>`)),
    '',
    'Clients change quickly. Where this page is wrong, the vendor’s is right.',
    '',
  ].join('\n');
}

function how(client: Client): string {
  const [first] = client.commands(example);
  if (first !== undefined) return `\`${commandLine(first)}\``;
  if (client.file !== undefined) return `an entry in \`${client.file.user.linux}\``;
  return 'in its settings';
}

function callerOf(calledBy: Client['calledBy']): string {
  return calledBy === 'the vendor'
    ? 'the vendor’s servers: a public https address is needed'
    : 'your machine';
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
