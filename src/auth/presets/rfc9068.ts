import { type Preset, plain, usualPaths } from './preset.ts';

/** RFC 9068 to the letter; roles where its section 2.2.3.1 has them. */
export const rfc9068: Preset = {
  ...plain,
  isTyped: true,
  paths: {
    ...usualPaths,
    client: ['client_id'],
    role: ['roles'],
  },
};
