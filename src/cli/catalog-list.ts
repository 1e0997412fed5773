import { compactTool, firstSentence } from '#catalog/compact.ts';
import { quarantinedItems } from '#catalog/quarantined-items.ts';
import { createToolSearch } from '#catalog/search.ts';
import { serialiseSnapshot } from '#catalog/serialise-snapshot.ts';
import type { CatalogTool, Snapshot } from '#catalog/snapshot.ts';
import type { VisibleCatalog } from '#catalog/visibility.ts';
import { printable } from '#config/issue.ts';
import type { JsonObject } from '#kernel/json.ts';
import { exitCodes } from './exit-codes.ts';
import type { Output } from './output.ts';
import { count } from './output.ts';

const maxFound = 50;

/** What is seen, as a table of tools or as JSON. */
export function showCatalog(
  output: Output,
  about: {
    readonly snapshot: Snapshot;
    readonly source: string;
    readonly seen: VisibleCatalog;
    readonly scopes: ReadonlySet<string>;
    readonly mode: string;
    /** Undefined: everything. */
    readonly text: string | undefined;
  },
): number {
  const { snapshot, source, seen, scopes, mode, text } = about;
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
    output.table({ head: ['TOOL', 'SCOPES', 'BYTES', 'DESCRIPTION'], rows });
  }
  const others = [
    count(seen.prompts.length, 'prompt'),
    count(seen.resources.length, 'resource'),
    count(seen.templates.length, 'resource template'),
  ];
  output.note(
    `${count(tools.length, 'tool')} of ${count(seen.backends.length, 'backend')}; ${others.join(', ')}.`,
  );
  noteHidden(output, snapshot);
  return exitCodes.done;
}

function noteHidden(output: Output, snapshot: Snapshot): void {
  const withheld = snapshot.withheld.filter(({ reason }) => reason !== 'excluded');
  for (const { backend, kind, name, reason } of withheld)
    output.note(`withheld: ${kind} ${printable(name)} of ${backend}: ${reason}`);
  for (const { kind, name, item } of quarantinedItems(snapshot.quarantined))
    output.note(`quarantined: ${kind} ${printable(name)} of ${item.backend}: ${item.reason}`);
}

function search(tools: readonly CatalogTool[], text: string): readonly CatalogTool[] {
  const index = createToolSearch({ maxIndexedTools: tools.length });
  return index.find({ viewKey: '', tools, text, limit: maxFound });
}

function inMode(tool: CatalogTool, mode: string): CatalogTool {
  if (mode !== 'search') return tool;
  return { ...tool, definition: { ...tool.definition, wire: compactTool(tool) } };
}

function bytesOf(name: string, wire: JsonObject): number {
  return Buffer.byteLength(JSON.stringify({ name, ...wire }));
}
