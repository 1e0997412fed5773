import type { Choice } from './choice.ts';
import type { ListKind } from './entries.ts';

/** The three kinds of `list_changed`; templates belong to resources. */
export const changeKinds = ['tools', 'prompts', 'resources'] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** The lists that a kind speaks of. */
export const listsOf: Readonly<Record<ChangeKind, readonly ListKind[]>> = {
  tools: ['tools'],
  prompts: ['prompts'],
  resources: ['resources', 'resourceTemplates'],
};

/** What a list in search mode leaves out has changed nonetheless. */
export function wholeTools(choice: Choice): Choice {
  return { ...choice, mode: 'full', key: choice.key.replace(/^search/, 'full') };
}
