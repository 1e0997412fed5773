/** What the socket knows of a request, beside the request. In tests there is none. */
export interface Connection {
  /** The peer's address, without port. */
  address(): string | undefined;
  /** The answer may take as long as it takes: no idle timeout from here on. */
  keepOpen(): void;
}
