/** Under this name `node:util` looks for how a value is shown. */
const inspectCustom = Symbol.for('nodejs.util.inspect.custom');
const REDACTED = '[secret]';

/** A value that prints, serialises and inspects as `[secret]`; `reveal` is the only way to it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspectCustom](): string {
    return REDACTED;
  }
}
