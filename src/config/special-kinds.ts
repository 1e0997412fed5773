import { resolve } from 'node:path';
import { err, ok } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import type { StoreConfig } from './config.ts';
import { type Kind, listOf, scalar } from './kind.ts';
import { scope } from './kinds.ts';

const maxSecretLength = 16_384;

/** Text that never shows. Sources may write `${NAME}` or `file:PATH`; by now it is resolved. */
export const secret: Kind<Secret> = {
  name: 'secret',
  schema: {
    type: 'string',
    minLength: 1,
    description: `\`\${NAME}\` from the environment, or \`file:PATH\``,
  },
  isSecret: true,
  parse(raw) {
    if (typeof raw !== 'string') return err({ what: 'must be one secret, not a list', item: undefined });
    if (raw === '') return err({ what: 'is empty', item: undefined });
    if (raw.length > maxSecretLength)
      return err({ what: `is longer than ${maxSecretLength} characters`, item: undefined });
    if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(raw)) {
      return err({
        what: 'must be printable ASCII on one line, without spaces at the ends',
        item: undefined,
      });
    }
    return ok(new Secret(raw));
  },
  show: () => '[secret]',
};

/** A path of this machine; relative ones count from the config file's folder, else from the current one. */
export const filePath: Kind<string> = {
  ...scalar({
    name: 'path',
    schema: { type: 'string', minLength: 1 },
    parse: (value) => {
      if (value.startsWith('~')) return err('must be spelled out: ~ is not replaced here');
      return value === '' || value.includes('\0') ? err('is not a path') : ok(value);
    },
  }),
  resolve: (value, base) => resolve(base, value),
};

/** Before each public name; may be empty. */
export const prefix: Kind<string> = scalar({
  name: 'prefix',
  schema: { type: 'string', pattern: '^([A-Za-z][A-Za-z0-9_-]{0,23})?$' },
  parse: (value) =>
    /^([A-Za-z][A-Za-z0-9_-]{0,23})?$/.test(value)
      ? ok(value)
      : err('must be empty, or a letter and at most 23 letters, digits, _ or -'),
});

export const store: Kind<StoreConfig> = {
  ...scalar<StoreConfig>({
    name: 'sqlite:PATH',
    schema: { type: 'string', pattern: '^sqlite:.+' },
    parse: (value) => {
      if (/^postgres(ql)?:/.test(value))
        return err('names PostgreSQL, which is not available in this version; use sqlite:PATH');
      const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(value)?.[1];
      if (path === undefined) return err('is not a store: write sqlite:PATH');
      return ok({ engine: 'sqlite', path });
    },
    show: (value) => `sqlite:${value.path}`,
  }),
  resolve: (value, base) => ({ engine: value.engine, path: resolve(base, value.path) }),
};

const scopeList = listOf(scope);

/** The word `plans`, or a list of scopes. */
export const challengeScopes: Kind<'plans' | readonly string[]> = {
  name: 'plans, or list of scopes',
  schema: { anyOf: [{ type: 'string', const: 'plans' }, scopeList.schema] },
  isSecret: false,
  parse: (raw) => (raw === 'plans' ? ok('plans' as const) : scopeList.parse(raw)),
  show: (value) => (value === 'plans' ? value : [...value]),
};

/** Signature algorithms that need no shared secret. */
export const algorithm: Kind<string> = scalar({
  name: 'algorithm',
  schema: { type: 'string' },
  parse: (value) => {
    if (/^((RS|PS|ES)(256|384|512)|EdDSA|Ed25519)$/.test(value)) return ok(value);
    return err('is not accepted: RS256, PS256, ES256 (or 384, 512) and EdDSA are');
  },
});

/** A program and its arguments, as a list; one text is split at white space, and no shell reads either. */
export const commandLine: Kind<readonly [string, ...string[]]> = {
  name: 'list of words',
  schema: { type: 'array', items: { type: 'string' }, minItems: 1 },
  isSecret: false,
  parse(raw) {
    const [program, ...rest] = typeof raw === 'string' ? raw.split(/\s+/).filter((word) => word !== '') : raw;
    if (program === undefined || program === '') return err({ what: 'names no program', item: undefined });
    if (rest.length > 200) return err({ what: 'holds more than 200 arguments', item: undefined });
    const bad = [program, ...rest].findIndex((word) => word.includes('\0'));
    if (bad >= 0) return err({ what: 'must not hold a null character', item: bad });
    return ok([program, ...rest]);
  },
  show: (words) => [...words],
};

/** 32 bytes of Ed25519 as base64 or hex, or a whole public key (SPKI, PEM or not), as base64url of the 32 bytes. */
export const publicKey: Kind<string> = scalar({
  name: 'public key',
  schema: { type: 'string', minLength: 1 },
  parse: (value) => {
    const bare = value.replace(/-----(BEGIN|END) PUBLIC KEY-----|\s/g, '');
    const bytes = Buffer.from(bare, /^[0-9a-fA-F]{64}$/.test(bare) ? 'hex' : 'base64');
    if (bytes.length === 32) return ok(bytes.toString('base64url'));
    // SubjectPublicKeyInfo of RFC 8410: a fixed head, then the 32 bytes.
    const isWhole = bytes.length === 44 && bytes.toString('hex').startsWith('302a300506032b6570032100');
    if (isWhole) return ok(bytes.subarray(12).toString('base64url'));
    return err(
      'is not an Ed25519 public key: 32 bytes as base64 or hex (cortex integrity keygen prints one)',
    );
  },
});
