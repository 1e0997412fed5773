import { ok } from '#kernel/result.ts';
import type { ResolveMode } from './resolver.ts';

/** Nothing about who calls. */
export function none(): ResolveMode {
  const nothing = ok({ mode: 'none', headers: {} } as const);
  return () => nothing;
}
