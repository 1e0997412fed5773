const maxBytes = 16 * 1024;

/** The fields of a posted form; undefined where it is none, too large, or names a field twice. */
export async function readPageForm(request: Request): Promise<ReadonlyMap<string, string> | undefined> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) return undefined;
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return undefined;
  // Whoever leaves in the middle of it is no fault of ours.
  const text = await request.text().catch(() => undefined);
  if (text === undefined || text.length > maxBytes) return undefined;
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) return undefined;
    fields.set(name, value);
  }
  return fields;
}
