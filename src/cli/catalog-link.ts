import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import type { Invocation } from './command.ts';
import { controlPath, postToGateway } from './control-client.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import type { Answer } from './gateway-client.ts';
import { openBrowser } from './open-browser.ts';
import { requireConfig } from './require-config.ts';
import { tellLinked, untilLinked } from './until-linked.ts';

const timeoutMs = 30_000;

/** Links the credential that a server's lists are read with. Only whoever may use the control socket can begin it. */
export async function linkCatalog(invocation: Invocation, server: string): Promise<number> {
  const { options, output, terminal } = invocation;
  const { config } = await requireConfig(invocation, false);
  const path = controlPath(config.stateDir);

  async function ask(action: 'start' | 'status'): Promise<Answer> {
    const answer = await postToGateway(path, `/catalog-link/${action}`, { server }, timeoutMs);
    if (answer === undefined)
      throw new UserError('no gateway runs here, and --catalog needs one', {
        exitCode: exitCodes.unreachable,
        next: 'start it with: cortex serve',
      });
    const body: JsonObject = isJsonObject(answer.body) ? answer.body : {};
    if (answer.status === 200) return { status: 200, body };
    throw new UserError(stringAt(body, 'message') ?? `the gateway answered ${answer.status}`, {
      exitCode: exitCodes.no,
      next: 'see the servers with linked accounts: cortex check',
    });
  }

  const before = await ask('status');
  const url = stringAt((await ask('start')).body, 'url');
  if (url === undefined) throw new Error('the gateway gave no page');
  const isOpen = options.has('browser') && openBrowser(url, terminal.environment);
  output.warn(
    isOpen
      ? `Link it in your browser. If it did not open:\n${url}`
      : `Link it here, within ten minutes:\n${url}`,
  );
  return tellLinked(
    invocation,
    server,
    await untilLinked(() => ask('status'), stringAt(before.body, 'linked_at')),
  );
}
