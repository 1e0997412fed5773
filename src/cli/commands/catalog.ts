import { join } from 'node:path';
import type { Snapshot } from '#catalog/snapshot.ts';
import { type VisibleCatalog, visibleCatalog } from '#catalog/visibility.ts';
import type { Config } from '#config/config.ts';
import { printable } from '#config/issue.ts';
import type { JsonObject } from '#kernel/json.ts';
import { browseCatalog } from '../catalog-browser.ts';
import { listCosts } from '../catalog-cost.ts';
import { showDifference } from '../catalog-difference.ts';
import { showCatalog } from '../catalog-list.ts';
import { everyScope, requirePlan, scopesNamed } from '../catalog-scopes.ts';
import { type FoundCatalog, findCatalog } from '../catalog-source.ts';
import { gatesBefore, showGates } from '../catalog-why.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { givenToken } from '../given-token.ts';
import { screenFor } from '../may-draw.ts';
import type { Output } from '../output.ts';
import { requireConfig } from '../require-config.ts';
import { sightOfToken, type TokenRefused, withOwn } from '../token-sight.ts';

/** Shows what a set of scopes sees. Exit code 3: not one backend could be reached. */
export async function catalog(invocation: Invocation): Promise<number> {
  const { options, output, terminal } = invocation;
  const loaded = await requireConfig(invocation, false);
  const { config } = loaded;
  const choice = choiceOf(invocation, config);
  const { backends } = choice;
  const token = await givenToken(invocation, 'cortex catalog --token - < token.txt');
  const found = await output.during('reading the catalog', () =>
    findCatalog(loaded, terminal.environment.PATH ?? ''),
  );
  const { source } = found;
  warnOfBackends(output, found.snapshot);
  if (source === 'polled') output.note('No gateway runs here; the backends were asked instead.');
  const sight = token === undefined ? undefined : await sightOfToken(loaded, token);
  if (sight?.own === undefined) noteServers(invocation, config, found);
  const snapshot = withOwn(found.snapshot, sight?.own);
  const scopes =
    sight === undefined ? namedScopes(choice.names, snapshot, config) : (sight.holder?.scopes ?? new Set());

  const tool = options.text('why');
  if (tool !== undefined) {
    const now = Date.now();
    const gates = gatesBefore(tool, { config, snapshot: found.snapshot, scopes, backends, sight, now });
    return showGates(output, tool, gates) ? exitCodes.done : exitCodes.no;
  }
  if (sight?.refused !== undefined) throw refusedToken(sight.refused);
  if (choice.diff !== undefined) {
    const [first, second] = choice.diff;
    const seenBy = (name: string) => visibleCatalog(snapshot, scopesNamed([name], config), backends);
    return showDifference(output, choice.diff, [seenBy(first), seenBy(second)]);
  }
  const seen = visibleCatalog(snapshot, scopes, backends);
  if (options.has('cost')) return showCost(invocation, seen);
  const text = options.text('search');
  const isList = text !== undefined || options.text('mode') !== undefined;
  const screen = isList ? undefined : screenFor(invocation);
  if (screen !== undefined) {
    const name = sight?.holder?.subject ?? (choice.names.length === 0 ? 'all' : choice.names.join(' + '));
    return browseCatalog(invocation, screen, { config, snapshot, source, asked: { name, scopes }, backends });
  }
  return showCatalog(output, { snapshot, source, seen, scopes, mode: options.text('mode') ?? 'full', text });
}

function namedScopes(names: readonly string[], snapshot: Snapshot, config: Config): ReadonlySet<string> {
  return names.length === 0 ? everyScope(snapshot) : scopesNamed(names, config);
}

function refusedToken({ reason, detail, fix }: TokenRefused): UserError {
  const about = detail === undefined ? '' : ` (${printable(detail)})`;
  return new UserError(`the token is refused: ${reason}${about}`, { exitCode: exitCodes.no, next: fix });
}

function warnOfBackends(output: Output, snapshot: Snapshot): void {
  const states = [...snapshot.backends.values()];
  for (const { id, status, lastError } of states)
    if (status !== 'fresh')
      output.warn(`${id} is ${status}: ${printable(lastError ?? 'has not answered yet')}`);
  if (states.length > 0 && states.every(({ status }) => status === 'gone')) {
    throw new UserError('no backend could be reached', {
      exitCode: exitCodes.unreachable,
      next: 'start them, or look at url and technical_token of each in: cortex check',
    });
  }
}

/** What cannot be seen of servers from here. */
function noteServers({ output, terminal }: Invocation, config: Config, { leftOut }: FoundCatalog): void {
  for (const { id, list, identity } of config.servers.values()) {
    if (identity === 'linked' && list === 'private') {
      output.note(`${id} lists to each user what their own account may use; that is not shown here.`);
    }
  }
  for (const { id, why } of leftOut) {
    if (why === 'not_run') {
      output.warn(`${id} was not asked: its command stands in a file that was found in the current folder`);
      output.note(`To run it, add --config ${join(terminal.cwd, 'cortex.yaml')}.`);
    } else if (config.servers.get(id)?.list === 'shared') {
      output.note(`${id} was not asked: a running gateway reads its list with a linked account.`);
    }
  }
}

interface Choice {
  /** Plans and scopes; none: everything. */
  readonly names: readonly string[];
  readonly backends: readonly string[] | undefined;
  readonly diff: readonly [string, string] | undefined;
}

function choiceOf({ options }: Invocation, config: Config): Choice {
  const plan = options.text('plan');
  const backends = options.list('backend');
  const compared = options.list('diff');
  const [first, second] = compared;
  if (options.text('token') !== undefined && (plan !== undefined || options.list('scope').length > 0))
    throw new UserError(
      'a token says itself what its holder may: --scope and --plan do not go with --token',
      {
        next: 'cortex catalog --token -',
      },
    );
  if (compared.length !== 0 && compared.length !== 2)
    throw new UserError('--diff compares two plans or scopes', { next: 'cortex catalog --diff free pro' });
  const known = new Set<string>([...config.backends.keys(), ...config.servers.keys()]);
  const unknown = backends.find((id) => !known.has(id));
  if (unknown !== undefined)
    throw new UserError(`no backend is called ${unknown}`, { next: `they are: ${[...known].join(', ')}` });
  return {
    names: [...options.list('scope'), ...(plan === undefined ? [] : [requirePlan(plan, config)])],
    backends: backends.length === 0 ? undefined : backends,
    diff: first === undefined || second === undefined ? undefined : [first, second],
  };
}

function showCost({ output }: Invocation, seen: VisibleCatalog): number {
  const costs = listCosts(seen);
  if (output.isJson) {
    output.document({ costs: costs.map((cost): JsonObject => ({ ...cost })) });
    return exitCodes.done;
  }
  const rows = costs.map(({ mode, tools, bytes, estimatedTokens }) =>
    [mode, tools, bytes, `~${estimatedTokens}`].map(String),
  );
  output.table({ head: ['MODE', 'TOOLS', 'BYTES', 'TOKENS'], rows });
  output.note('Tokens are bytes / 4: models count differently. In search mode schemas cost an extra turn.');
  return exitCodes.done;
}
