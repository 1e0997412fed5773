import MiniSearch from 'minisearch';
import { isJsonObject } from '#kernel/json.ts';
import { byCodeUnits } from './order.ts';
import type { CatalogTool } from './snapshot.ts';

const MAX_QUERY_LENGTH = 400;
const MAX_QUERY_WORDS = 16;
const MAX_DESCRIPTION_LENGTH = 2_000;
const MAX_PARAMETERS = 100;
/** What an index costs by itself, in tools: views without any are many, since callers name them. */
const INDEX_COST = 25;

export interface ToolSearchQuery {
  /** A key of what decided `tools`: whoever has the same key sees the same tools. */
  readonly viewKey: string;
  /** Whether some of the tools are one principal's alone; then the key names it, and the index takes no shared one's place. */
  readonly isPersonal?: boolean;
  /** What the caller sees; nothing else is looked at. */
  readonly tools: readonly CatalogTool[];
  readonly text: string;
  readonly limit: number;
}

/** Ranked search over names, descriptions and parameter names, one index a view. */
export interface ToolSearch {
  /** Tools whose public name is a word of the text come first, then by rank; equal ranks by name. */
  find(query: ToolSearchQuery): readonly CatalogTool[];
  close(): void;
}

interface Document {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: string;
}

interface Index {
  readonly tools: ReadonlyMap<string, CatalogTool>;
  readonly ranked: MiniSearch<Document>;
}

/**
 * Indexes are made on demand and kept, least recently used out first, up to `maxIndexedTools` in all, and as many
 * again in those with something personal; each counts as 25 more.
 */
export function createToolSearch(bounds: { readonly maxIndexedTools: number }): ToolSearch {
  const shared = createIndexes(bounds.maxIndexedTools);
  const personal = createIndexes(bounds.maxIndexedTools);

  return {
    find({ viewKey, isPersonal = false, tools, text, limit }) {
      const words = text
        .slice(0, MAX_QUERY_LENGTH)
        .split(/[\s,;]+/)
        .slice(0, MAX_QUERY_WORDS);
      const index = (isPersonal ? personal : shared).of(viewKey, tools);
      const found = new Set<CatalogTool>();
      for (const word of words) {
        const exact = index.tools.get(word);
        if (exact !== undefined) found.add(exact);
      }
      const ranked = index.ranked.search(words.join(' '));
      ranked.sort((a, b) => b.score - a.score || byCodeUnits(String(a.id), String(b.id)));
      for (const { id } of ranked) {
        if (found.size >= limit) break;
        const tool = index.tools.get(String(id));
        if (tool !== undefined) found.add(tool);
      }
      return [...found].slice(0, limit);
    },
    close() {
      shared.clear();
      personal.clear();
    },
  };
}

interface Indexes {
  of(viewKey: string, tools: readonly CatalogTool[]): Index;
  clear(): void;
}

function createIndexes(maxIndexedTools: number): Indexes {
  const indexes = new Map<string, Index>();
  let indexedTools = 0;
  const costOf = (index: Index) => index.tools.size + INDEX_COST;

  return {
    of(viewKey, tools) {
      const known = indexes.get(viewKey);
      if (known !== undefined) {
        indexes.delete(viewKey);
        indexes.set(viewKey, known);
        return known;
      }
      const made = makeIndex(tools);
      if (tools.length > maxIndexedTools) return made;
      indexes.set(viewKey, made);
      indexedTools += costOf(made);
      for (const [key, index] of indexes) {
        if (indexedTools <= maxIndexedTools) break;
        indexes.delete(key);
        indexedTools -= costOf(index);
      }
      return made;
    },
    clear() {
      indexes.clear();
      indexedTools = 0;
    },
  };
}

function makeIndex(tools: readonly CatalogTool[]): Index {
  const ranked = new MiniSearch<Document>({
    fields: ['name', 'title', 'description', 'parameters'],
    storeFields: [],
    tokenize: tokens,
    searchOptions: {
      boost: { name: 4, title: 2, parameters: 0.5 },
      prefix: (term) => term.length >= 3,
      fuzzy: (term) => (term.length >= 5 ? 0.2 : false),
    },
  });
  ranked.addAll(tools.map(documentOf));
  return { tools: new Map(tools.map((tool) => [tool.publicName, tool])), ranked };
}

function documentOf({ publicName, definition }: CatalogTool): Document {
  const { title } = definition.wire;
  const { properties } = definition.inputSchema;
  const parameters = isJsonObject(properties) ? Object.keys(properties).slice(0, MAX_PARAMETERS) : [];
  return {
    id: publicName,
    name: publicName,
    title: typeof title === 'string' ? title : '',
    description: (definition.description ?? '').slice(0, MAX_DESCRIPTION_LENGTH),
    parameters: parameters.join(' '),
  };
}

/** Words of prose and of names alike: `list_openInvoices` is list, open, invoices. */
function tokens(text: string): string[] {
  return text
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}
