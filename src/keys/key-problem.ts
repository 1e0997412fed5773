import type { KeyProblem } from './inventory.ts';

/** What is wrong with a key and what to do about it, for the operator. */
export function describeKeyProblem(problem: KeyProblem): string {
  const place = problem.path ?? `the value of keys.${problem.key}`;
  switch (problem.reason) {
    case 'missing':
      return `${place}: there is no such key file`;
    case 'unreadable':
      return `${place}: the key file cannot be read`;
    case 'not_a_file':
      return `${place}: not a plain file`;
    case 'exposed':
      if (place.startsWith('/run/secrets/')) {
        return `${place}: everybody in the container can read the secret; mount it with mode 0400 and the gateway's uid`;
      }
      return `${place}: the key file is open to its group or to others; run: chmod 600 ${place}`;
    case 'too_large':
      return `${place}: too large for a key file`;
    case 'unwritable':
      return `${place}: no key file could be made there; name one in keys.${problem.key}.file`;
    case 'empty':
      return `${place}: holds no key`;
    case 'not_a_key':
      return `${place}: each key is 32 bytes as base64 or hex (make one with: openssl rand -base64 32)`;
    case 'no_keychain':
      return `the keychain of the system cannot be used here; name a file in keys.${problem.key}.file`;
    case 'duplicate':
      return `${place}: holds the same key twice`;
  }
}
