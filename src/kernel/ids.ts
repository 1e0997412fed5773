declare const brand: unique symbol;
/** A string that only its own guard can make. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

export type BackendId = Branded<'BackendId'>;

/** Backend ids: a lower-case letter, then at most 23 of `a-z 0-9 _ -`. */
export function isBackendId(value: string): value is BackendId {
  return /^[a-z][a-z0-9_-]{0,23}$/.test(value);
}

/** 128 random bits as 22 characters of base64url. */
export function randomId(): string {
  return crypto.getRandomValues(Buffer.alloc(16)).toString('base64url');
}
