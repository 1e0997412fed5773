import { isTechnicalToken } from '#contract/technical-token.ts';
import type { BackendId } from '#kernel/ids.ts';
import { isJsonObject, isStringArray, parseJson } from '#kernel/json.ts';
import type { Secret } from '#kernel/secret.ts';

const MAX_BODY_BYTES = 64 * 1024;
const MAX_URIS = 1_000;

export interface CatalogChangedDeps {
  readonly backends: () => readonly { readonly id: BackendId; readonly technicalToken: Secret | undefined }[];
  readonly requestPoll: (id: BackendId) => void;
  /** Resources of these backends changed; `uris` that are not theirs are ignored. */
  readonly resourcesUpdated: (backends: readonly BackendId[], uris: readonly string[]) => void;
}

function refuse(status: number, error: string): Response {
  return Response.json({ error }, { status, headers: { 'cache-control': 'no-store' } });
}

/**
 * `POST /catalog/changed` (contract section 6): "poll me now" and "these resources changed", from a backend that
 * shows its technical token. 202 says nothing about which backends there are.
 */
export async function handleCatalogChanged(deps: CatalogChangedDeps, request: Request): Promise<Response> {
  if (request.method !== 'POST') {
    return new Response(null, { status: 405, headers: { allow: 'POST' } });
  }
  const token = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (token === undefined) return refuse(401, 'the technical token is required');
  const known = deps
    .backends()
    .filter(({ technicalToken }) => technicalToken !== undefined && isTechnicalToken(token, technicalToken));
  if (known.length === 0) return refuse(401, 'the technical token is not known');
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES)
    return refuse(413, 'the body is too large');
  const text = await request.text();
  if (text.length > MAX_BODY_BYTES) return refuse(413, 'the body is too large');
  const parsed = text.trim() === '' ? undefined : parseJson(text);
  if (parsed !== undefined && (!parsed.ok || !isJsonObject(parsed.value)))
    return refuse(400, 'the body must be a JSON object');
  const body = parsed?.ok && isJsonObject(parsed.value) ? parsed.value : {};
  const { backend, changed, resources } = body;
  const named = known.filter(({ id }) => backend === undefined || id === backend).map(({ id }) => id);
  if (named.length === 0) return refuse(403, 'this technical token is not that backend’s');
  const uris = isStringArray(resources) ? resources.slice(0, MAX_URIS) : [];
  if (uris.length > 0) deps.resourcesUpdated(named, uris);
  if (uris.length === 0 || changed !== undefined) for (const id of named) deps.requestPoll(id);
  return Response.json({ accepted: named.length }, { status: 202 });
}
