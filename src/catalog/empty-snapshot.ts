import type { Quarantined, Snapshot } from './snapshot.ts';

export const nothingQuarantined: Quarantined = {
  tools: new Map(),
  prompts: new Map(),
  resources: new Map(),
  templates: [],
};

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
  quarantined: nothingQuarantined,
};
