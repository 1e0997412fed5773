import type { AdminConfig, AdminToken } from './admin-config.ts';
import { options } from './options.ts';
import type { Reader } from './reader.ts';

/** Who acts by other doors: in the audit nobody may be mistaken for them. */
const reserved = ['local', 'gateway', 'operator'];

/** The names of the audit's actors are read by people and by programs. */
const nameShape = /^[a-z][a-z0-9_-]{0,31}$/;

export function buildAdmin(reader: Reader): AdminConfig {
  if (reader.keysBelow(['admin']).length === 0) return { listen: undefined, hosts: [], tokens: new Map() };
  const [listen, hosts] = [reader.read(options.adminListen), reader.read(options.adminHosts)];
  const tokens = new Map<string, AdminToken>();
  for (const name of reader.boundedKeys(['admin', 'tokens'])) {
    const path = ['admin', 'tokens', name];
    if (!nameShape.test(name)) {
      reader.fail(path, 'is not a name', 'A letter, and at most 31 letters, digits, _ or -, all small.');
    }
    if (reserved.includes(name)) reader.fail(path, 'is the name of another actor in the audit: choose one');
    if (listen !== undefined && !reader.isSet([...path, 'token']))
      reader.fail(path, 'has no token', 'openssl rand -base64 32 makes one.');
    const token = reader.read(options.adminToken, [name]);
    const role = reader.read(options.adminRole, [name]);
    if (token !== undefined) tokens.set(name, { token, role });
  }
  return { listen, hosts, tokens };
}
