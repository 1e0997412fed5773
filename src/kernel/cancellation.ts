/** What tells that a call is over: the part of an `AbortSignal` that the path of a call needs. Every `AbortSignal` is one. */
export interface CancelSignal {
  readonly aborted: boolean;
  /** Why, once it is. */
  readonly reason?: unknown;
  /** Nobody is told twice, with or without `once`. */
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Something that can be cancelled: an `AbortController`, or the lighter {@link Cancellation}. */
export interface Cancellable {
  abort(reason: string): void;
}

/** One for each call, where an `AbortController` with its listeners would cost as much as sending the request. */
export class Cancellation implements CancelSignal, Cancellable {
  aborted = false;
  reason: string | undefined;
  #listeners: (() => void)[] | undefined;

  /** Tells every listener; only once. */
  abort(reason: string): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners?.indexOf(listener) ?? -1;
    if (at >= 0) this.#listeners?.splice(at, 1);
  }
}

/** A real one, for what takes nothing less. */
export function toAbortSignal(signal: CancelSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  const abort = () => controller.abort('cancelled');
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort);
  return controller.signal;
}
