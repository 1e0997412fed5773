import { isBackendId } from '#kernel/ids.ts';
import { stringAt } from '#kernel/json.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Answer, createGatewayClient, type GatewayClient, textOf } from '../gateway-client.ts';
import { openBrowser } from '../open-browser.ts';
import { signInPerson } from '../person-sign-in.ts';
import { requireConfig } from '../require-config.ts';
import { tellLinked, untilLinked } from '../until-linked.ts';

/** Links the caller's own account at a server, or, with `--catalog`, the credential that discovery uses. */
export async function vaultLink(invocation: Invocation): Promise<number> {
  const [server = ''] = invocation.args;
  if (!isBackendId(server))
    throw new UserError(`${JSON.stringify(server)} is not the id of a server`, { next: 'cortex check' });
  if (invocation.options.has('catalog')) {
    const { linkCatalog } = await import('../catalog-link.ts');
    return linkCatalog(invocation, server);
  }
  const gateway = createGatewayClient(await gatewayUrl(invocation));
  try {
    return await linkPerson(gateway, server, invocation);
  } finally {
    await gateway.close();
  }
}

async function linkPerson(gateway: GatewayClient, server: string, invocation: Invocation): Promise<number> {
  const { output } = invocation;
  const { tokens, callback, wasPasted } = await signInPerson(gateway, invocation);
  const token = tokens.accessToken;
  try {
    const before = await statusOf(gateway, server, token);
    const page = textOf(await begin(gateway, server, token), 'url');
    if (!page.startsWith(`${gateway.origin}/link/`)) throw new Error('the gateway led to another origin');
    callback.respond({ title: 'You are signed in', text: `Next: link ${server}.`, next: page });
    const { environment } = invocation.terminal;
    const isOpen = wasPasted && invocation.options.has('browser') && openBrowser(page, environment);
    output.warn(
      wasPasted && !isOpen ? `Link your account here:\n${page}` : `Go on in your browser:\n${page}`,
    );
    const linked = await untilLinked(
      () => statusOf(gateway, server, token),
      stringAt(before.body, 'linked_at'),
    );
    return tellLinked(invocation, server, linked);
  } catch (error) {
    callback.respond({ title: 'That did not work', text: 'The command says why. You can close this page.' });
    throw error;
  } finally {
    await callback.close();
  }
}

async function gatewayUrl(invocation: Invocation): Promise<string> {
  const given = invocation.options.text('gateway');
  if (given === undefined) return (await requireConfig(invocation, false)).config.gateway.url;
  const url = URL.parse(given);
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '')
    return given;
  throw new UserError(`--gateway is the URL that your agents use, not ${JSON.stringify(given)}`, {
    next: `cortex vault link ${invocation.args[0] ?? 'SERVER'} --gateway https://mcp.example.com/mcp`,
  });
}

async function begin(gateway: GatewayClient, server: string, token: Secret): Promise<Answer> {
  return accepted(await gateway.ask('POST', `/link/${server}/start`, token), server);
}

async function statusOf(gateway: GatewayClient, server: string, token: Secret): Promise<Answer> {
  return accepted(await gateway.ask('GET', `/link/${server}/status`, token), server);
}

function accepted(answer: Answer, server: string): Answer {
  if (answer.status === 200) return answer;
  const refuse = (message: string, next: string) => new UserError(message, { exitCode: exitCodes.no, next });
  if (answer.status === 404)
    throw refuse(
      `no server ${server} is open to you`,
      'the accounts page (/link) shows those that are; a scope that is missing: --scope SCOPE',
    );
  if (answer.status === 401 || answer.status === 403)
    throw refuse('the gateway does not admit the account you signed in with', 'sign in as another one');
  if (answer.status === 429) throw refuse('too many links were begun', 'wait a minute, then run it again');
  throw new UserError(`the gateway answered ${answer.status}`, { exitCode: exitCodes.unreachable });
}
