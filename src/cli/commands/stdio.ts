import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { createLineSplitter } from '#adapter/stdio-lines.ts';
import { defaultStateDir, findConfigFile } from '#config/find-file.ts';
import { Secret } from '#kernel/secret.ts';
import { createKeychain } from '#keys/keychain.ts';
import { isLoopbackHost } from '#outbound/loopback.ts';
import { createOutbound } from '#outbound/outbound.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { release } from '../release.ts';
import { requireConfig, requireTrusted } from '../require-config.ts';
import { createBridge } from '../stdio/bridge.ts';
import { fileStore, keychainStore, type TokenStore } from '../stdio/token-store.ts';
import { createTokens, onlyToken, type Tokens } from '../stdio/tokens.ts';
import { createUpstream } from '../stdio/upstream.ts';

const maxLineBytes = 64 * 1024 * 1024;
const settleMs = 20_000;

/** An MCP server over stdin and stdout that hands everything to a gateway, as the person who signed in. */
export async function stdio(invocation: Invocation): Promise<number> {
  const { options, output, terminal } = invocation;
  const url = await gatewayUrl(invocation);
  const store = storeOf(invocation, url);
  if (options.has('logout')) {
    await store.remove();
    if (output.isJson) output.document({ url, signed_in: false, kept_in: null });
    else output.note(`The sign-in at ${url} is forgotten (${store.place}).`);
    return exitCodes.done;
  }
  const stop = new AbortController();
  const gateway = createGatewayClient(withoutQuery(url));
  const outbound = createOutbound();
  try {
    const tokens = tokensOf(invocation, gateway, store, url, stop.signal);
    if (options.has('login')) {
      await tokens.renew(undefined, { mayAsk: true });
      if (output.isJson) output.document({ url, signed_in: true, kept_in: store.place });
      else output.note(`Signed in at ${url}; kept in ${store.place}.`);
      return exitCodes.done;
    }
    if (terminal.isInteractive)
      output.note('A client starts this and speaks MCP with it, a line a message. Only to sign in: --login');
    const upstream = createUpstream({
      url,
      outbound,
      tokens,
      userAgent: `cortex-stdio/${release.version}`,
      note: output.note,
    });
    const bridge = createBridge({ upstream, write: output.line, note: output.note, random: Math.random });
    await readClient(invocation, bridge.take);
    // A client that closes its end may still read what it asked for, but nobody signs in for it any more.
    await Promise.race([bridge.settled(), Bun.sleep(settleMs)]);
    await bridge.end();
    return exitCodes.done;
  } finally {
    stop.abort();
    await outbound.close();
    await gateway.close();
  }
}

/** Until the client closes its end. */
async function readClient({ terminal, output }: Invocation, take: (line: string) => void): Promise<void> {
  const push = createLineSplitter(maxLineBytes, {
    line: take,
    unreadable: () => output.warn('a line that is no UTF-8 was left out'),
    tooLong: () => output.warn('a line of more than 64 MB was left out'),
  });
  const input = terminal.input?.();
  if (input === undefined)
    throw new UserError('there is no stdin to read', { next: 'have your client start this' });
  for await (const chunk of input) push(chunk);
}

function tokensOf(
  invocation: Invocation,
  gateway: ReturnType<typeof createGatewayClient>,
  store: TokenStore,
  url: string,
  stop: AbortSignal,
): Tokens {
  const { options, terminal } = invocation;
  const variable = options.text('token-env');
  if (variable !== undefined) {
    const token = terminal.environment[variable];
    if (token === undefined || token.trim() === '')
      throw new UserError(`the environment variable ${variable} is not set`, {
        next: `export ${variable}=...`,
      });
    return onlyToken(new Secret(token.trim()));
  }
  // What is typed belongs to the protocol, unless this only signs in.
  const isInteractive = terminal.isInteractive && options.has('login');
  return createTokens({
    gateway,
    invocation: { ...invocation, terminal: { ...terminal, isInteractive } },
    store,
    lockPath: join(defaultStateDir(terminal), `stdio-${digest(withoutQuery(url))}.lock`),
    now: Date.now,
    stop,
  });
}

function storeOf({ options, output, terminal }: Invocation, url: string): TokenStore {
  const file = options.text('token-file');
  if (file !== undefined) return fileStore(resolve(terminal.cwd, file));
  return keychainStore(createKeychain(`stdio ${withoutQuery(url)}`), (why) => {
    output.note(`This system keeps no secrets (${why}): the sign-in is forgotten when this ends.`);
    output.note('  next: to keep it in a file of mode 0600 instead: --token-file FILE');
  });
}

async function gatewayUrl(invocation: Invocation): Promise<string> {
  const base = invocation.args[0] ?? (await configuredUrl(invocation));
  const url = URL.parse(base);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '')
    throw new UserError(`${JSON.stringify(base)} is not the URL of a gateway`, {
      next: 'cortex stdio https://mcp.example.com/mcp',
    });
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname) && !invocation.options.has('allow-http'))
    throw new UserError(`${base} is not https: whoever is on the way could read the token`, {
      next: 'give its https URL; in a network that you trust: --allow-http',
    });
  return base;
}

async function configuredUrl(invocation: Invocation): Promise<string> {
  const { options, terminal } = invocation;
  const hasConfig = (await findConfigFile(options.text('config'), terminal)) !== undefined;
  if (!hasConfig && terminal.environment.CORTEX_CANONICAL_URI === undefined)
    throw new UserError('which gateway? None was named, and no configuration is here', {
      next: 'cortex stdio https://mcp.example.com/mcp',
    });
  const loaded = await requireConfig(invocation, false);
  if (options.text('token-env') !== undefined) requireTrusted(loaded);
  return loaded.config.gateway.url;
}

/** The resource that tokens are for: choices in the query make it no other. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
