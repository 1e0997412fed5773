import type { VisibleCatalog } from '#catalog/visibility.ts';
import { listEntries } from '#mcp/entries.ts';

/** What a `tools/list` costs an agent: all of it, the gateway's own tools included. */
export interface ListCost {
  readonly mode: 'full' | 'search';
  readonly tools: number;
  readonly bytes: number;
  /** A rule of thumb, four bytes a token: models count differently. */
  readonly estimatedTokens: number;
}

const BYTES_A_TOKEN = 4;

/** The cost of what somebody sees, in both modes. */
export function listCosts(seen: VisibleCatalog): readonly ListCost[] {
  return (['full', 'search'] as const).map((mode) => {
    const choice = { backends: undefined, mode, key: mode };
    const entries = listEntries(
      { ...seen, key: '', choice, links: new Map(), isDegraded: false },
      'tools',
      'modern',
    );
    const bytes = Buffer.byteLength(`[${entries.map(({ json }) => json).join(',')}]`);
    return { mode, tools: entries.length, bytes, estimatedTokens: Math.round(bytes / BYTES_A_TOKEN) };
  });
}
