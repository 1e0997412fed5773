import type { Client, ClientFile, Entry } from './client.ts';
import { isLocalAddress } from './local-address.ts';

const checked = '2026-11-27';
/** Read in that month, and not again since. */
const inNovember = '2026-11';
const everywhere = (path: string) => ({ linux: path, darwin: path, win32: path });
const mcpServers = ['mcpServers'] as const;

const vsCodeEntry = ({ url }: Entry) => ({ type: 'http', url });
const cursorEntry = ({ url }: Entry) => ({ url });

const desktopFile: ClientFile = {
  format: 'json',
  under: mcpServers,
  members: ({ url, bridge: [command = '', ...args] }) => ({ command, args: [...args, url] }),
  user: {
    linux: '~/.config/Claude/claude_desktop_config.json',
    darwin: '~/Library/Application Support/Claude/claude_desktop_config.json',
    win32: '%APPDATA%\\Claude\\claude_desktop_config.json',
  },
};

/** Every client there is a page for, in the order in which they are shown. */
export const clients: readonly Client[] = [
  {
    id: 'claude-code',
    title: 'Claude Code',
    calledBy: 'this machine',
    program: 'claude',
    commands: ({ name, url }) => [
      ['claude', 'mcp', 'add', '--scope', 'user', '--transport', 'http', name, url],
    ],
    file: {
      format: 'json',
      under: mcpServers,
      members: ({ url }) => ({ type: 'http', url }),
      user: everywhere('~/.claude.json'),
      project: '.mcp.json',
      movedBy: { variable: 'CLAUDE_CONFIG_DIR', name: '.claude.json' },
    },
    signIn: 'Start claude, type /mcp, choose the server, then Authenticate.',
    source: 'https://code.claude.com/docs/en/mcp',
    tried: '2.1.197',
    checked,
  },
  {
    id: 'claude-desktop',
    title: 'Claude Desktop',
    calledBy: 'this machine',
    commands: () => [],
    steps: ({ url }) =>
      isLocalAddress(url)
        ? ['Settings, Developer, Edit Config.', `Add the entry for ${url}, and save.`]
        : ['Settings, Connectors, Add custom connector.', `URL: ${url}`, 'Connect, sign in, allow.'],
    file: desktopFile,
    signIn: 'After a change of the file restart Claude Desktop; its bridge opens a browser to sign in.',
    source:
      'https://support.claude.com/en/articles/11503834-building-custom-connectors-via-remote-mcp-servers',
    checked: inNovember,
  },
  {
    id: 'claude-ai',
    title: 'claude.ai',
    calledBy: 'the vendor',
    commands: () => [],
    steps: ({ url }) => [
      'Settings, Connectors, Add custom connector.',
      `URL: ${url}`,
      'Connect, sign in, allow.',
    ],
    signIn: 'A browser opens when you connect.',
    source:
      'https://support.claude.com/en/articles/11175166-getting-started-with-custom-connectors-using-remote-mcp',
    checked: inNovember,
  },
  {
    id: 'vscode',
    title: 'VS Code',
    calledBy: 'this machine',
    program: 'code',
    commands: (entry) => [['code', '--add-mcp', JSON.stringify({ name: entry.name, ...vsCodeEntry(entry) })]],
    installLink: (entry) =>
      `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: entry.name, ...vsCodeEntry(entry) }))}`,
    file: {
      format: 'json',
      under: ['servers'],
      members: vsCodeEntry,
      user: {
        linux: '~/.config/Code/User/mcp.json',
        darwin: '~/Library/Application Support/Code/User/mcp.json',
        win32: '%APPDATA%\\Code\\User\\mcp.json',
      },
      project: '.vscode/mcp.json',
    },
    signIn: 'Start the server above its entry in mcp.json, or by MCP: List Servers; a browser opens.',
    source: 'https://code.visualstudio.com/docs/agents/reference/mcp-configuration',
    checked,
  },
  {
    id: 'cursor',
    title: 'Cursor',
    calledBy: 'this machine',
    program: 'cursor',
    commands: () => [],
    installLink: (entry) =>
      `cursor://anysphere.cursor-deeplink/mcp/install?${new URLSearchParams({
        name: entry.name,
        config: btoa(JSON.stringify(cursorEntry(entry))),
      })}`,
    file: {
      format: 'json',
      under: mcpServers,
      members: cursorEntry,
      user: everywhere('~/.cursor/mcp.json'),
      project: '.cursor/mcp.json',
    },
    signIn: 'Settings, Tools & MCP: press Needs login beside the server.',
    source: 'https://cursor.com/docs/mcp',
    checked,
  },
  {
    id: 'codex',
    title: 'Codex',
    calledBy: 'this machine',
    program: 'codex',
    commands: ({ name, url }) => [
      ['codex', 'mcp', 'add', name, '--url', url],
      ['codex', 'mcp', 'login', name],
    ],
    file: {
      format: 'toml',
      under: ['mcp_servers'],
      members: ({ url }) => ({ url }),
      user: everywhere('~/.codex/config.toml'),
      project: '.codex/config.toml',
      movedBy: { variable: 'CODEX_HOME', name: 'config.toml' },
    },
    signIn: 'codex mcp login opens a browser; /mcp in a session shows the tools.',
    source: 'https://learn.chatgpt.com/docs/extend/mcp',
    tried: '0.171.0',
    checked,
  },
  {
    id: 'gemini-cli',
    title: 'Gemini CLI',
    calledBy: 'this machine',
    program: 'gemini',
    commands: ({ name, url }) => [
      ['gemini', 'mcp', 'add', '--scope', 'user', '--transport', 'http', name, url],
    ],
    file: {
      format: 'json',
      under: mcpServers,
      members: ({ url }) => ({ httpUrl: url }),
      alike: ({ url }) => ({ url, type: 'http' }),
      user: everywhere('~/.gemini/settings.json'),
      project: '.gemini/settings.json',
    },
    signIn: 'Start gemini and type /mcp auth with the server’s name; a browser opens.',
    source: 'https://geminicli.com/docs/tools/mcp-server/',
    tried: '0.61.0',
    checked,
  },
  {
    id: 'chatgpt',
    title: 'ChatGPT',
    calledBy: 'the vendor',
    commands: () => [],
    steps: ({ url }) => [
      'Settings, Apps, Advanced settings: switch Developer mode on.',
      'Create app.',
      `MCP server URL: ${url}`,
      'Authentication: OAuth. Create, sign in, allow.',
    ],
    signIn: 'A browser opens when you create the app.',
    source: 'https://developers.openai.com/api/docs/guides/developer-mode.md',
    checked: inNovember,
  },
  {
    id: 'openclaw',
    title: 'OpenClaw',
    calledBy: 'this machine',
    program: 'openclaw',
    commands: ({ name, url }) => [
      ['openclaw', 'mcp', 'add', name, '--url', url, '--transport', 'streamable-http', '--auth', 'oauth'],
      ['openclaw', 'mcp', 'login', name],
    ],
    file: {
      format: 'json',
      under: ['mcp', 'servers'],
      members: ({ url }) => ({ url, transport: 'streamable-http', auth: 'oauth' }),
      user: everywhere('~/.openclaw/openclaw.json'),
      movedBy: { variable: 'OPENCLAW_CONFIG_PATH', name: undefined },
    },
    signIn: 'openclaw mcp login prints an address to open, then takes the code from there.',
    source: 'https://github.com/openclaw/openclaw/blob/main/docs/cli/mcp.md',
    checked: inNovember,
  },
  {
    id: 'hermes',
    title: 'Hermes',
    calledBy: 'this machine',
    program: 'hermes',
    commands: ({ name, url }) => [['hermes', 'mcp', 'add', name, '--url', url, '--auth', 'oauth']],
    file: {
      format: 'yaml',
      under: ['mcp_servers'],
      members: ({ url }) => ({ url, auth: 'oauth', enabled: true }),
      user: {
        linux: '~/.hermes/config.yaml',
        darwin: '~/.hermes/config.yaml',
        win32: '%LOCALAPPDATA%\\hermes\\config.yaml',
      },
      movedBy: { variable: 'HERMES_HOME', name: 'config.yaml' },
    },
    signIn: 'hermes mcp login with the server’s name opens a browser; tools show in a new session.',
    source: 'https://developer.mittwald.de/docs/v2/agentic-integration/mcp/getting-connected/hermes-agent/',
    checked,
  },
];
