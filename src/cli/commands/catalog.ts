import { join } from 'node:path';
import { compactTool, firstSentence } from '#catalog/compact.ts';
import { quarantinedItems } from '#catalog/quarantined-items.ts';
import { createToolSearch } from '#catalog/search.ts';
import { serialiseSnapshot } from '#catalog/serialise-snapshot.ts';
import type { CatalogTool, Snapshot } from '#catalog/snapshot.ts';
import { type VisibleCatalog, visibleCatalog } from '#catalog/visibility.ts';
import { whyHidden } from '#catalog/why-hidden.ts';
import type { Config } from '#config/config.ts';
import { printable } from '#config/issue.ts';
import type { JsonObject } from '#kernel/json.ts';
import { browseCatalog } from '../catalog-browser.ts';
import { listCosts } from '../catalog-cost.ts';
import { everyScope, requirePlan, scopesNamed } from '../catalog-scopes.ts';
import { type FoundCatalog, findCatalog } from '../catalog-source.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { screenFor } from '../may-draw.ts';
import { alignColumns, count } from '../output.ts';
import { requireConfig } from '../require-config.ts';

const MAX_FOUND = 50;

/** Shows what a set of scopes sees. Exit code 3: not one backend could be reached. */
export async function catalog(invocation: Invocation): Promise<number> {
  const { options, output, terminal } = invocation;
  const loaded = await requireConfig(invocation, false);
  const { config } = loaded;
  const choice = choiceOf(invocation, config);
  const found = await findCatalog(loaded, terminal.environment.PATH ?? '');
  const { snapshot, source } = found;
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
  const scopes = choice.names.length === 0 ? everyScope(snapshot) : scopesNamed(choice.names, config);
  const seen = visibleCatalog(snapshot, scopes, choice.backends);
  if (source === 'polled') output.note('No gateway runs here; the backends were asked instead.');
  noteServers(invocation, config, found);

  const tool = options.text('why');
  if (tool !== undefined) return showWhy(invocation, snapshot, tool, scopes, choice.backends);
  if (choice.diff !== undefined) return showDiff(invocation, snapshot, config, choice.diff, choice.backends);
  if (options.has('cost')) return showCost(invocation, seen);
  const screen = options.text('search') === undefined ? screenFor(invocation) : undefined;
  if (screen === undefined) return showList(invocation, found, seen, scopes);
  const name = choice.names.length === 0 ? 'all' : choice.names.join(' + ');
  const asked = { name, scopes };
  return browseCatalog(invocation, screen, { config, snapshot, source, asked, backends: choice.backends });
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

function showList(
  { options, output }: Invocation,
  { snapshot, source }: FoundCatalog,
  seen: VisibleCatalog,
  scopes: ReadonlySet<string>,
): number {
  const text = options.text('search');
  const mode = options.text('mode') ?? 'full';
  const tools = (text === undefined ? seen.tools : search(seen.tools, text)).map((tool) =>
    inMode(tool, mode),
  );
  if (output.isJson) {
    const shown = serialiseSnapshot({
      ...snapshot,
      tools: new Map(tools.map((tool) => [tool.publicName, tool])),
      prompts: new Map(seen.prompts.map((prompt) => [prompt.publicName, prompt])),
      resources: new Map(seen.resources.map((resource) => [resource.uri, resource])),
      templates: seen.templates,
    });
    output.document({ source, scopes: [...scopes].sort(), mode, ...shown });
    return exitCodes.done;
  }
  const rows = tools.map(({ publicName, definition }) => [
    publicName,
    definition.scopes.join(' '),
    String(bytesOf(publicName, definition.wire)),
    printable(firstSentence(definition.description ?? '')),
  ]);
  if (rows.length > 0) {
    const [head = '', ...lines] = alignColumns([['TOOL', 'SCOPES', 'BYTES', 'DESCRIPTION'], ...rows]);
    output.line(output.paint('bold', head));
    for (const line of lines) output.line(line);
  }
  const others = [
    count(seen.prompts.length, 'prompt'),
    count(seen.resources.length, 'resource'),
    count(seen.templates.length, 'resource template'),
  ];
  output.note(
    `${count(tools.length, 'tool')} of ${count(seen.backends.length, 'backend')}; ${others.join(', ')}.`,
  );
  const withheld = snapshot.withheld.filter(({ reason }) => reason !== 'excluded');
  for (const { backend, kind, name, reason } of withheld)
    output.note(`withheld: ${kind} ${printable(name)} of ${backend}: ${reason}`);
  for (const { kind, name, item } of quarantinedItems(snapshot.quarantined))
    output.note(`quarantined: ${kind} ${printable(name)} of ${item.backend}: ${item.reason}`);
  return exitCodes.done;
}

function showWhy(
  { output }: Invocation,
  snapshot: Snapshot,
  tool: string,
  scopes: ReadonlySet<string>,
  backends: readonly string[] | undefined,
): number {
  const gates = whyHidden(snapshot, tool, scopes, backends);
  const isVisible = gates.every(({ isPassed }) => isPassed);
  if (output.isJson) {
    output.document({ tool, visible: isVisible, gates: gates.map((gate) => ({ ...gate })) });
  } else {
    const rows = gates.map(({ gate, isPassed, detail }) => [
      gate,
      isPassed ? 'pass' : 'HIDDEN',
      printable(detail),
    ]);
    for (const line of alignColumns(rows)) output.line(line);
  }
  return isVisible ? exitCodes.done : exitCodes.no;
}

function showDiff(
  { output }: Invocation,
  snapshot: Snapshot,
  config: Config,
  [first, second]: readonly [string, string],
  backends: readonly string[] | undefined,
): number {
  const namesSeen = (name: string) =>
    visibleCatalog(snapshot, scopesNamed([name], config), backends).tools.map(({ publicName }) => publicName);
  const [before, after] = [namesSeen(first), namesSeen(second)];
  const removed = before.filter((name) => !after.includes(name));
  const added = after.filter((name) => !before.includes(name));
  const both = before.length - removed.length;
  if (output.isJson) {
    output.document({ first, second, onlyFirst: removed, onlySecond: added, both });
    return exitCodes.done;
  }
  for (const name of removed) output.line(output.paint('red', `- ${name}`));
  for (const name of added) output.line(output.paint('green', `+ ${name}`));
  output.note(`${first}: ${count(before.length, 'tool')}; ${second}: ${after.length}; both: ${both}.`);
  return exitCodes.done;
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
  for (const line of alignColumns([['MODE', 'TOOLS', 'BYTES', 'TOKENS'], ...rows])) output.line(line);
  output.note('Tokens are bytes / 4: models count differently. In search mode schemas cost an extra turn.');
  return exitCodes.done;
}

function search(tools: readonly CatalogTool[], text: string): readonly CatalogTool[] {
  const index = createToolSearch({ maxIndexedTools: tools.length });
  return index.find({ viewKey: '', tools, text, limit: MAX_FOUND });
}

function inMode(tool: CatalogTool, mode: string): CatalogTool {
  if (mode !== 'search') return tool;
  return { ...tool, definition: { ...tool.definition, wire: compactTool(tool) } };
}

function bytesOf(name: string, wire: JsonObject): number {
  return Buffer.byteLength(JSON.stringify({ name, ...wire }));
}
