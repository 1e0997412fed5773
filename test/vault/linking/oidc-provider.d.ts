/** The package comes without types; this is what its one test server uses. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  export class Provider {
    constructor(issuer: string, configuration: object);
    callback(): RequestListener;
    on(event: string, listener: (context: unknown, error: unknown) => void): void;
  }
}
