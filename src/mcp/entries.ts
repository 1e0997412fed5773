import { compactTool } from '#catalog/compact.ts';
import { projectForLegacy } from '#catalog/legacy-projection.ts';
import type { CatalogTool } from '#catalog/snapshot.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Era } from '#wire/protocol.ts';
import { architectureUri } from './builtins/architecture.ts';
import { listedBuiltins } from './builtins/listed.ts';
import type { Seen, View } from './views.ts';

export type ListKind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

/** One item of a list, serialised; lists are in code-unit order of `name` (R16). */
export interface Entry {
  readonly name: string;
  readonly json: string;
}

function toolEntry(tool: CatalogTool, era: Era, mode: 'full' | 'search'): Entry {
  const { publicName, definition } = tool;
  const wire = mode === 'search' ? compactTool(tool) : definition.wire;
  const shown = era === 'legacy' ? projectForLegacy(wire) : wire;
  return { name: publicName, json: JSON.stringify({ name: publicName, ...shown }) };
}

function helpEntries(view: Seen): Entry[] {
  return view.backends.flatMap(({ id, helpName }) => {
    if (helpName === undefined) return [];
    const tool = {
      name: helpName,
      description: `How to work with ${id}: overview, concepts, workflows, limits and examples.`,
      inputSchema: { type: 'object', properties: { topic: { type: 'string' } } },
      annotations: { readOnlyHint: true },
    };
    return [{ name: helpName, json: JSON.stringify(tool) }];
  });
}

function builtinEntries(view: View): Entry[] {
  return listedBuiltins(view.choice.mode).map(({ name, wire }) => ({
    name,
    json: JSON.stringify({ name, ...wire }),
  }));
}

function architectureEntry(): Entry {
  const architecture: JsonObject = {
    uri: architectureUri,
    name: 'architecture',
    title: 'What you can reach through this gateway',
    mimeType: 'text/markdown',
  };
  return { name: architectureUri, json: JSON.stringify(architecture) };
}

/** The items of one list, as one set of scopes sees it: with the gateway's own. */
export function listEntries(view: View, kind: ListKind, era: Era): readonly Entry[] {
  const entries = unordered(view, kind, era);
  if (kind === 'tools') entries.push(...builtinEntries(view));
  if (kind === 'resources') entries.push(architectureEntry());
  return entries.sort(byName);
}

/** The items of one list that are the caller's own. */
export function ownEntries(own: Seen | undefined, kind: ListKind, era: Era): readonly Entry[] {
  return own === undefined ? [] : unordered(own, kind, era).sort(byName);
}

/** Two lists in order as one. */
export function mergeEntries(a: readonly Entry[], b: readonly Entry[]): readonly Entry[] {
  return [...a, ...b].sort(byName);
}

function byName(a: Entry, b: Entry): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function unordered(view: Seen, kind: ListKind, era: Era): Entry[] {
  switch (kind) {
    case 'tools':
      return [...helpEntries(view), ...view.tools.map((tool) => toolEntry(tool, era, view.choice.mode))];
    case 'prompts':
      return view.prompts.map(({ publicName, definition }) => ({
        name: publicName,
        json: JSON.stringify({ name: publicName, ...definition.wire }),
      }));
    case 'resources':
      return view.resources.map(({ uri, definition }) => ({
        name: uri,
        json: JSON.stringify(definition.wire),
      }));
    case 'resourceTemplates':
      return view.templates.map(({ uriTemplate, definition }) => ({
        name: uriTemplate,
        json: JSON.stringify(definition.wire),
      }));
  }
}
