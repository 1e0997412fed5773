import { isJsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Verifier } from '#keys/signer.ts';
import type { OutboundResponse } from '#outbound/outbound.ts';
import type { BackendFailure } from './backend.ts';
import { failure } from './failures.ts';
import type { TechnicalMethod } from './technical-request.ts';

/** When each list that was accepted was signed: an older one is a replay. Outlives a restart. */
export interface SignedMarks {
  last(method: TechnicalMethod): number | undefined;
  /** Resolves when it is kept. */
  advance(method: TechnicalMethod, signedAt: number): Promise<void>;
}

export interface SignedLists {
  /** Whether the bytes of a list are signed by a pinned key. Says nothing about when. */
  verify(response: OutboundResponse): Result<void, BackendFailure>;
  /** Whether the list is no older than the last one that was accepted; from then on that is this one. */
  accept(method: TechnicalMethod, answer: unknown): Promise<Result<void, BackendFailure>>;
  /** Nobody signs that there is no such list: whoever stands in between could take one away by that. */
  refuseAbsence(): Result<never, BackendFailure>;
}

const signatureHeader = 'x-cortex-catalog-signature';
/** A clock that goes fast must not sign a list that no later one can follow. */
const maxAheadMs = 5 * 60_000;

/** The lists of a backend whose keys are pinned (docs/contract.md): Ed25519 over the body, and `signedAt` in it. */
export function createSignedLists(keys: Verifier, marks: SignedMarks, now: () => number): SignedLists {
  return {
    verify({ headers, body }) {
      const signature = headers.get(signatureHeader);
      if (signature === undefined) return refuse('is not signed, and the configuration pins a key');
      const bytes = Buffer.from(body, 'utf8');
      const text = Buffer.from(signature, 'base64').toString('base64url');
      return keys.verifyAny(bytes, text)
        ? ok(undefined)
        : refuse('carries a signature that does not fit its bytes and the pinned key');
    },
    async accept(method, answer) {
      const last = marks.last(method);
      const written = isJsonObject(answer) ? stringAt(answer, 'signedAt') : undefined;
      const signedAt = written === undefined ? undefined : Date.parse(written);
      if (signedAt === undefined) {
        return last === undefined ? ok(undefined) : refuse('says no signedAt, and earlier ones did');
      }
      if (!Number.isFinite(signedAt)) return refuse('has a signedAt that is no time');
      if (signedAt > now() + maxAheadMs) return refuse('is signed in the future');
      if (last !== undefined && signedAt < last)
        return refuse('is older than one that was accepted: a replay');
      if (signedAt !== last) await marks.advance(method, signedAt);
      return ok(undefined);
    },
    refuseAbsence: () => refuse('is said to be gone, and that is not signed'),
  };
}

/** Marks that end with the process. */
export function createPassingMarks(): SignedMarks {
  const marks = new Map<TechnicalMethod, number>();
  return {
    last: (method) => marks.get(method),
    async advance(method, signedAt) {
      marks.set(method, signedAt);
    },
  };
}

function refuse(what: string): Result<never, BackendFailure> {
  return err(failure('signature_refused', { message: `The list ${what}.` }));
}
