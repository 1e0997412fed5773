/** A log event's fields: never a token, a key, or a person's address. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** The log port. An event has a fixed dotted name (`backend.poll_failed`) and flat fields. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
