import { isBackendId } from '#kernel/ids.ts';
import { isLoopbackHost } from '#outbound/loopback.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';

/** Null also for what a URL is read out of, but is none as it stands: it is written down as it was given. */
function parsedUrl(text: string): URL | null {
  return /[\s\p{Cc}]/u.test(text) ? null : URL.parse(text);
}

/** What is wrong with the URL that agents are to be given. */
export function gatewayUrlProblem(text: string, allowsHttp: boolean): string | undefined {
  const url = parsedUrl(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return 'a URL, such as https://mcp.example.com/mcp';
  if (url.username !== '' || url.search !== '' || url.hash !== '') return 'without user, query and fragment';
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname) && !allowsHttp)
    return 'https, since tokens go there; plain http for this machine alone';
  return undefined;
}

/** claude.ai connects to `/mcp` alone. */
export function withPath(text: string): string {
  return new URL(text).pathname === '/' ? `${text.replace(/\/$/, '')}/mcp` : text;
}

export function issuerUrlProblem(text: string, allowsHttp: boolean): string | undefined {
  const url = parsedUrl(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return 'the address of your authorization server, such as https://auth.example.com';
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname) && !allowsHttp) return 'https';
  return undefined;
}

export function targetUrlProblem(text: string): string | undefined {
  const url = parsedUrl(text);
  const isUrl = url !== null && (url.protocol === 'https:' || url.protocol === 'http:');
  return isUrl ? undefined : 'a URL, such as http://127.0.0.1:4820';
}

export function idProblem(text: string): string | undefined {
  return isBackendId(text) ? undefined : 'a to z, 0 to 9, - and _, at most 24 of them, a letter first';
}

/** The pairs `id=url` of an option. */
export function pairsOf({ options }: Invocation, name: 'backend' | 'server'): ReadonlyMap<string, string> {
  return new Map(
    options.list(name).map((pair) => {
      const at = pair.indexOf('=');
      const [id, url] = [pair.slice(0, at), pair.slice(at + 1)];
      const problem = at < 0 ? 'an id, =, and a URL' : (idProblem(id) ?? targetUrlProblem(url));
      if (problem === undefined) return [id, url];
      throw new UserError(`--${name} ${pair}: ${problem}`, { next: `--${name} notes=http://127.0.0.1:4820` });
    }),
  );
}

/** The plans `name=scope,scope` that were given. */
export function plansOf({ options }: Invocation): ReadonlyMap<string, readonly string[]> {
  return new Map(
    options.list('plan').map((text) => {
      const [, name = '', scopes = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
      const words = scopes.split(/[,\s]+/).filter((scope) => scope !== '');
      if (name !== '' && words.length > 0) return [name, words];
      throw new UserError(`--plan ${text}: a name, =, and scopes with commas between`, {
        next: '--plan pro=mcp:notes:read,mcp:notes:write',
      });
    }),
  );
}
