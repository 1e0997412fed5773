import { isLoopbackHost } from '#outbound/loopback.ts';
import { type Draft, secretFile } from './draft.ts';

const urlColumn = 44;

/** The draft as `cortex.yaml`, with a word about each choice. */
export function configText(draft: Draft, today: string): string {
  const { issuer, plans, backends, servers } = draft;
  const url = new URL(draft.url);
  const isBehindProxy = url.protocol === 'https:';
  return [
    `# Cortex Gateway. Written by \`cortex init\` on ${today}; yours from here on.`,
    '# Every other setting: docs/configuration.md. Problems and effective values: cortex check',
    'version: 1',
    '',
    'gateway:',
    line('  url', scalar(draft.url), 'what agents are given, and whom tokens are for'),
    line(
      '  listen',
      addressText(draft.listen),
      isBehindProxy ? 'the proxy with the certificate is in front' : 'this machine alone',
    ),
    ...(draft.name === undefined ? [] : [`  server_name: ${scalar(draft.name)}`]),
    ...(isBehindProxy
      ? [
          line('  origins', '[https://claude.ai]', 'websites whose pages may call'),
          line('  trusted_proxies', '[127.0.0.1/32]', 'whose X-Forwarded-For counts'),
        ]
      : []),
    ...(draft.allowsHttp ? ['  allow_http: true'] : []),
    '',
    'auth:',
    '  issuers:',
    `    - url: ${scalar(issuer.url)}`,
    ...(issuer.preset === 'generic' ? [] : [`      preset: ${issuer.preset}`]),
    ...(issuer.audience.length === 0 ? [] : [`      audience: ${list(issuer.audience)}`]),
    ...(issuer.clients.length === 0 ? [] : [`      clients: ${list(issuer.clients)}`]),
    '',
    '# A plan is a name for scopes; a caller’s is the first whose scopes are all in the token.',
    'plans:',
    ...[...plans].map(([name, scopes]) => `  ${scalar(name)}: ${list(scopes)}`),
    '',
    ...section('backends', backends, (id, target) => [
      `    url: ${scalar(target)}`,
      `    technical_token: ${technicalToken(draft, id)}`,
      ...(draft.allowsHttp && isOpenHttp(target) ? ['    allow_http: true'] : []),
    ]),
    ...section('servers', servers, (id, target) => [
      `    url: ${scalar(target)}`,
      `    scopes: { default: ${scalar(serverScope(draft, id))} }`,
    ]),
  ].join('\n');
}

function line(key: string, value: string, comment: string): string {
  return `${`${key}: ${value}`.padEnd(urlColumn)} # ${comment}`;
}

function section(
  name: string,
  entries: ReadonlyMap<string, string>,
  body: (id: string, url: string) => readonly string[],
): readonly string[] {
  if (entries.size === 0) return [];
  return [`${name}:`, ...[...entries].flatMap(([id, url]) => [`  ${id}:`, ...body(id, url)]), ''];
}

function technicalToken({ technicalTokenVariable: variable }: Draft, id: string): string {
  return variable === undefined ? `file:${secretFile(id)}` : `"\${${variable}}"`;
}

/** The scope of the plans that names the server, else one named after it. */
function serverScope({ plans }: Draft, id: string): string {
  const named = [...plans.values()].flat().find((scope) => scope.split(/[:./]/).includes(id));
  return named ?? `mcp:${id}`;
}

function isOpenHttp(target: string): boolean {
  const { protocol, hostname } = new URL(target);
  return protocol === 'http:' && !isLoopbackHost(hostname);
}

function list(values: readonly string[]): string {
  return `[${values.map(scalar).join(', ')}]`;
}

/** `HOST:PORT` begins with a digit most often, and stays plain. */
function addressText(text: string): string {
  return /^[\w.-]+:\d+$|^\d+$/.test(text) ? text : JSON.stringify(text);
}

/** Plain where YAML reads it back as the same text, else quoted. */
function scalar(text: string): string {
  const isPlain =
    /^[A-Za-z/][\w./:@+-]*$/.test(text) && !/:$|^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
