import type { DenyList } from '#auth/deny-list.ts';

/** A deny-list without a store, which denies nothing. */
export const nothingDenied: Pick<DenyList, 'denies' | 'onDenied' | 'sawToken'> = {
  denies: () => undefined,
  onDenied: () => () => {},
  sawToken() {},
};
