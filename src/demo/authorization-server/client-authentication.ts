import { err, ok, type Result } from '#kernel/result.ts';
import type { Client, Clients } from './clients.ts';
import { hashOf, isSameHash } from './opaque.ts';

/**
 * Who calls the token, revocation or introspection endpoint (RFC 6749 section 2.3): Basic, the secret in the form,
 * or the bare id of a public client. A client with a secret is never taken for a public one.
 */
export async function authenticateClient(
  request: Request,
  form: ReadonlyMap<string, string>,
  clients: Clients,
  address: string,
): Promise<Result<Client, 'invalid_client'>> {
  const header = request.headers.get('authorization');
  const basic = header === null ? undefined : parseBasic(header);
  if (header !== null && basic === undefined) return err('invalid_client');
  if (basic !== undefined && form.has('client_secret')) return err('invalid_client');
  if (basic !== undefined && form.has('client_id') && form.get('client_id') !== basic.id)
    return err('invalid_client');

  const id = basic?.id ?? form.get('client_id');
  const secret = basic?.secret ?? form.get('client_secret');
  const client = id === undefined ? undefined : await clients.find(id, address);
  if (client === undefined) return err('invalid_client');
  if (client.secretHash === undefined) return secret === undefined ? ok(client) : err('invalid_client');
  if (secret === undefined || !isSameHash(hashOf(secret), client.secretHash)) return err('invalid_client');
  return ok(client);
}

/** Id and secret are form-encoded before they are joined (RFC 6749 section 2.3.1). */
function parseBasic(header: string): { readonly id: string; readonly secret: string } | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  try {
    return { id: formDecode(text.slice(0, colon)), secret: formDecode(text.slice(colon + 1)) };
  } catch {
    return undefined;
  }
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
