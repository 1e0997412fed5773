import { type CodeRefusal, refreshTokens } from '#auth/code-flow.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { GatewayClient } from '../gateway-client.ts';
import { signInError, signInPerson } from '../person-sign-in.ts';
import { visibleText } from '../visible-text.ts';
import { type KeptSignIn, readSignIn, withTokens, writeSignIn } from './kept-sign-in.ts';
import { withProcessLock } from './process-lock.ts';
import type { TokenStore } from './token-store.ts';

/** The person's token at the gateway, kept fresh. */
export interface Tokens {
  /** A token that should be good; undefined where nobody is signed in. Opens no browser. */
  current(): Promise<Secret | undefined>;
  /**
   * Another token than `refused`: refreshed, or, where that fails and one may ask, by signing the person in. Throws a
   * {@link UserError} where that fails too.
   */
  renew(refused: Secret | undefined, wish: RenewWish): Promise<Secret | undefined>;
}
interface RenewWish {
  /** Whether the person may be asked to sign in. */
  readonly mayAsk: boolean;
  /** What the token should hold besides. */
  readonly scopes?: readonly string[];
}

const refreshEarlyMs = 60_000;
/** Who said no, or did nothing, is not asked again at every call. */
const askAgainMs = 30_000;

/** One token that was handed over: nothing can be done when it is refused. */
export function onlyToken(token: Secret): Tokens {
  return {
    current: async () => token,
    async renew() {
      throw new UserError('the gateway refuses the token that was given', {
        exitCode: exitCodes.no,
        next: 'have it explained: cortex doctor URL --token -',
      });
    },
  };
}

export function createTokens(deps: {
  readonly gateway: GatewayClient;
  readonly invocation: Invocation;
  readonly store: TokenStore;
  readonly lockPath: string;
  readonly now: () => number;
  readonly stop: AbortSignal;
}): Tokens {
  const { gateway, invocation, store, now } = deps;
  let held: KeptSignIn | undefined;
  let asking: Promise<Secret | undefined> | undefined;
  let saidNo: { readonly error: UserError; readonly until: number } | undefined;

  async function keep(next: KeptSignIn): Promise<void> {
    held = next;
    await store.set(writeSignIn(next));
  }

  async function load(): Promise<KeptSignIn | undefined> {
    const kept = readSignIn(await store.get());
    if (kept !== undefined && kept.resource !== gateway.url)
      throw new UserError(`${store.place} holds the sign-in at ${kept.resource}: no other gateway gets it`, {
        next: 'name another file for this gateway: --token-file FILE',
      });
    const given = invocation.options.text('client-id');
    const isOthers = given !== undefined && kept !== undefined && kept.client.id !== given;
    held = isOthers ? undefined : kept;
    return held;
  }

  /** With the lock held. Undefined: there is nothing to refresh with any more. */
  async function refreshed(kept: KeptSignIn): Promise<Secret | undefined> {
    if (kept.refreshToken === undefined) return undefined;
    const { server } = await gateway.discover();
    if (server.issuer !== kept.issuer) return undefined;
    const { client, redirectUri, scopes } = kept;
    const request = { server, client, redirectUri, resource: gateway.url, scopes };
    const tokens = await refreshTokens(request, kept.refreshToken, gateway.fetch);
    if (tokens.ok) {
      await keep(withTokens(kept, tokens.value, now()));
      return tokens.value.accessToken;
    }
    const { reason, detail }: CodeRefusal = tokens.error;
    if (reason === 'unavailable') throw signInError(reason, detail, server.issuer);
    invocation.output.note(`The sign-in is over (${reason}: ${visibleText(detail)}).`);
    if (reason === 'client_refused') {
      await store.remove();
      held = undefined;
    } else {
      await keep({ ...kept, accessToken: undefined, refreshToken: undefined, expiresAt: undefined });
    }
    return undefined;
  }

  async function signedIn(scopes: readonly string[]): Promise<Secret> {
    if (saidNo !== undefined && saidNo.until > now()) throw saidNo.error;
    try {
      const done = await signInPerson(gateway, invocation, { scopes, isKept: true });
      done.callback.respond({
        title: 'You are signed in',
        text: 'Go back to your agent. You can close this page.',
      });
      await done.callback.close();
      const { request, tokens } = done;
      const kept = {
        ...request,
        resource: gateway.url,
        issuer: request.server.issuer,
        accessToken: undefined,
        refreshToken: undefined,
      };
      await keep(withTokens({ ...kept, expiresAt: undefined }, tokens, now()));
      invocation.output.note('Signed in.');
      return tokens.accessToken;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      saidNo = { error, until: now() + askAgainMs };
      throw error;
    }
  }

  const isFresh = ({ accessToken, expiresAt }: KeptSignIn) =>
    accessToken !== undefined && (expiresAt === undefined || now() < expiresAt - refreshEarlyMs);

  /** What another process, or an earlier call, brought in the meantime is taken first. */
  async function renewed(refused: Secret | undefined, scopes: readonly string[], mayAsk: boolean) {
    const kept = await load();
    const isOther = kept?.accessToken?.reveal() !== refused?.reveal();
    if (kept?.accessToken !== undefined && isOther && isFresh(kept)) return kept.accessToken;
    const again = kept === undefined || scopes.length > 0 ? undefined : await refreshed(kept);
    if (again !== undefined) return again;
    return mayAsk ? signedIn(scopes) : undefined;
  }

  const locked = <T>(work: () => Promise<T>) => withProcessLock(deps.lockPath, deps.stop, work);

  return {
    async current() {
      const kept = held ?? (await load());
      if (kept === undefined || isFresh(kept)) return kept?.accessToken;
      const isGood = kept.expiresAt !== undefined && now() < kept.expiresAt;
      try {
        return await locked(() => renewed(kept.accessToken, [], false));
      } catch (error) {
        if (isGood && error instanceof UserError) return kept.accessToken;
        throw error;
      }
    },
    async renew(refused, { mayAsk, scopes = [] }) {
      if (!mayAsk) return locked(() => renewed(refused, [], false));
      asking ??= locked(() => renewed(refused, scopes, true)).finally(() => {
        asking = undefined;
      });
      return asking;
    },
  };
}
