import { version } from '../../package.json';

/** Set by deploy/build.ts. */
declare const CORTEX_BUILD_COMMIT: string;

/** What this command is. */
export const release = {
  version,
  /** Undefined: it runs from sources. */
  commit: typeof CORTEX_BUILD_COMMIT === 'undefined' ? undefined : CORTEX_BUILD_COMMIT,
} as const;
