import { byCodeUnits } from './order.ts';
import type { CatalogTemplate } from './snapshot.ts';
import { literalLength } from './uri-template.ts';

/**
 * The template whose scopes decide over a URI: of all that match, the one that fixes most of it. So
 * `docs://secret/{id}` decides over `docs://secret/1` even where `docs://{+path}` matches it too.
 */
export function governingTemplate<T extends Pick<CatalogTemplate, 'uriTemplate' | 'matches'>>(
  templates: readonly T[],
  uri: string,
): T | undefined {
  return templates
    .filter(({ matches }) => matches(uri))
    .sort(
      (a, b) =>
        literalLength(b.uriTemplate) - literalLength(a.uriTemplate) ||
        byCodeUnits(a.uriTemplate, b.uriTemplate),
    )[0];
}
