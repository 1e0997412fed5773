import type { Snapshot } from './snapshot.ts';

/** What a gateway without backends shows. */
export const emptySnapshot: Snapshot = {
  generation: 0,
  tools: new Map(),
  prompts: new Map(),
  resources: new Map(),
  templates: [],
  backends: new Map(),
  formerNames: new Map(),
  names: new Map(),
  withheld: [],
};
