import type { Clock } from '#kernel/clock.ts';
import { randomId } from '#kernel/ids.ts';
import { canonicalJson, isJsonObject, parseJson, stringAt } from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Sealer } from '#keys/sealer.ts';
import type { Refusal } from './refusal.ts';

/** What a retry must agree in with the request that was answered `input_required` (R28). */
export interface StateBinding {
  readonly principal: Principal;
  readonly method: string;
  readonly target: string;
  readonly backend: string;
  /** The salient parameters: the arguments, without `inputResponses` and `requestState`. */
  readonly parameters: unknown;
}

export interface RequestStates {
  seal(binding: StateBinding, backendState: string): string;
  open(binding: StateBinding, sealed: string): Result<string, Refusal>;
}

const PURPOSE = 'request_state';
const MAX_SEALED_LENGTH = 1024 * 1024;

function bound(binding: StateBinding): readonly string[] {
  const digest = new Bun.CryptoHasher('sha256').update(canonicalJson(binding.parameters)).digest('base64url');
  const { issuer, subject, clientId } = binding.principal;
  return [issuer, subject, clientId ?? '', binding.method, binding.target, binding.backend, digest];
}

/** A backend's own state, sealed: bound to the caller and the request, good for `lifetimeMs`. It is not single use. */
export function createRequestStates(deps: {
  readonly seal: Sealer;
  readonly clock: Clock;
  readonly lifetimeMs: number;
}): RequestStates {
  return {
    seal(binding, backendState) {
      const payload = JSON.stringify({
        n: randomId(),
        s: backendState,
        e: deps.clock.now() + deps.lifetimeMs,
      });
      return deps.seal.seal(PURPOSE, bound(binding), payload);
    },
    open(binding, sealed) {
      if (sealed.length > MAX_SEALED_LENGTH) return err({ reason: 'state_invalid' });
      const text = deps.seal.open(PURPOSE, bound(binding), sealed);
      if (!text.ok) return err({ reason: 'state_invalid' });
      const parsed = parseJson(text.value);
      if (!parsed.ok || !isJsonObject(parsed.value)) return err({ reason: 'state_invalid' });
      const state = stringAt(parsed.value, 's');
      const expiresAt = parsed.value.e;
      if (state === undefined || typeof expiresAt !== 'number') return err({ reason: 'state_invalid' });
      if (expiresAt <= deps.clock.now()) return err({ reason: 'state_invalid' });
      return ok(state);
    },
  };
}
