import type { Quarantined, QuarantinedItem, Withheld } from './snapshot.ts';

/** Everything quarantined, kind by kind. */
export function quarantinedItems({ tools, prompts, resources, templates }: Quarantined): readonly {
  readonly kind: Withheld['kind'];
  readonly name: string;
  readonly item: QuarantinedItem;
}[] {
  return [
    ...[...tools].map(([name, item]) => ({ kind: 'tool' as const, name, item })),
    ...[...prompts].map(([name, item]) => ({ kind: 'prompt' as const, name, item })),
    ...[...resources].map(([name, item]) => ({ kind: 'resource' as const, name, item })),
    ...templates.map((item) => ({ kind: 'template' as const, name: item.uriTemplate, item })),
  ];
}
