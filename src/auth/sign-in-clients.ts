import { isJsonObject, parseJson, stringAt } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import { Secret } from '#kernel/secret.ts';
import type { Sealer } from '#keys/sealer.ts';
import type { OAuthClient } from './code-flow.ts';

/** Where registrations are kept, sealed. */
export interface SignInRegistrations {
  load(issuer: string): Promise<string | undefined>;
  save(issuer: string, sealed: string): Promise<void>;
  remove(issuer: string): Promise<void>;
}

/** The gateway's registrations at its issuers; one that was made for another redirect URI does not open. */
export interface SignInClients {
  load(issuer: string, redirectUri: string): Promise<OAuthClient | undefined>;
  save(issuer: string, redirectUri: string, client: OAuthClient): Promise<void>;
  forget(issuer: string): Promise<void>;
}

export function createSignInClients(deps: {
  readonly sealer: Sealer;
  readonly registrations: SignInRegistrations;
  readonly log: Log;
}): SignInClients {
  const { sealer, registrations, log } = deps;
  return {
    async load(issuer, redirectUri) {
      const sealed = await registrations.load(issuer);
      if (sealed === undefined) return undefined;
      const opened = sealer.open('sign_in_client', [issuer, redirectUri], sealed);
      const parsed = opened.ok ? parseJson(opened.value) : undefined;
      const row = parsed?.ok === true && isJsonObject(parsed.value) ? parsed.value : {};
      const id = stringAt(row, 'id');
      if (id === undefined) {
        log.info('sign_in.registration_unreadable', {
          issuer,
          reason: opened.ok ? 'not_a_row' : opened.error,
        });
        return undefined;
      }
      const secret = stringAt(row, 'secret');
      return { id, secret: secret === undefined ? undefined : new Secret(secret) };
    },
    async save(issuer, redirectUri, { id, secret }) {
      const row = JSON.stringify({ id, secret: secret?.reveal() });
      await registrations.save(issuer, sealer.seal('sign_in_client', [issuer, redirectUri], row));
    },
    forget: (issuer) => registrations.remove(issuer),
  };
}
