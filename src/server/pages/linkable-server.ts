/** A server with an account of each user's own behind it. */
export interface LinkableServer {
  readonly id: string;
  /** For people; the id where there is none. */
  readonly title: string | undefined;
  /** Who holds all of them may use it. */
  readonly defaultScopes: readonly string[];
}
