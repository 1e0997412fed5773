import type { Clock } from '#kernel/clock.ts';
import { randomId } from '#kernel/ids.ts';
import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  stringAt,
} from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Sealer, SealPurpose } from '#keys/sealer.ts';
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
  /** For a call that waits for an account to be linked: what it came with, to go on from there. */
  sealLink(binding: StateBinding, carried: Carried): string;
  openLink(binding: StateBinding, sealed: string): Result<Carried, Refusal>;
}

/** What a retry brings to the backend. */
export interface Carried {
  readonly inputResponses: JsonObject | undefined;
  readonly requestState: string | undefined;
}

const PURPOSE = 'request_state';
const LINK_PURPOSE = 'link_state';
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
  const sealAs = (purpose: SealPurpose, binding: StateBinding, state: JsonValue): string => {
    const payload = JSON.stringify({ n: randomId(), s: state, e: deps.clock.now() + deps.lifetimeMs });
    return deps.seal.seal(purpose, bound(binding), payload);
  };
  const openAs = (purpose: SealPurpose, binding: StateBinding, sealed: string): JsonValue | undefined => {
    if (sealed.length > MAX_SEALED_LENGTH) return undefined;
    const text = deps.seal.open(purpose, bound(binding), sealed);
    const parsed = text.ok ? parseJson(text.value) : undefined;
    if (!parsed?.ok || !isJsonObject(parsed.value)) return undefined;
    const { s, e } = parsed.value;
    return typeof e === 'number' && e > deps.clock.now() ? s : undefined;
  };

  return {
    seal: (binding, backendState) => sealAs(PURPOSE, binding, backendState),
    open(binding, sealed) {
      const state = openAs(PURPOSE, binding, sealed);
      return typeof state === 'string' ? ok(state) : err({ reason: 'state_invalid' });
    },
    sealLink: (binding, { inputResponses, requestState }) =>
      sealAs(LINK_PURPOSE, binding, { inputResponses, requestState }),
    openLink(binding, sealed) {
      const carried = openAs(LINK_PURPOSE, binding, sealed);
      if (!isJsonObject(carried)) return err({ reason: 'state_invalid' });
      const { inputResponses } = carried;
      return ok({
        inputResponses: isJsonObject(inputResponses) ? inputResponses : undefined,
        requestState: stringAt(carried, 'requestState'),
      });
    },
  };
}
