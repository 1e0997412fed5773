import type { Snapshot } from '#catalog/snapshot.ts';
import type { Config } from '#config/config.ts';
import { scopesNamed } from './catalog-scopes.ts';
import type { Invocation } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { count } from './output.ts';
import type { Screen } from './terminal.ts';
import { catalogFrame } from './ui/catalog-frame.ts';
import { type CatalogPlan, catalogTabs } from './ui/catalog-items.ts';
import { catalogSorts, catalogState, pressInCatalog } from './ui/catalog-state.ts';

/** The catalog on a terminal, to look around in. `asked` is whose view was asked for. */
export async function browseCatalog(
  invocation: Invocation,
  screen: Screen,
  about: {
    readonly config: Config;
    readonly snapshot: Snapshot;
    readonly source: 'gateway' | 'polled';
    readonly asked: CatalogPlan;
    readonly backends: readonly string[] | undefined;
  },
): Promise<number> {
  const [{ openView }, { openPreferences }] = await Promise.all([
    import('./ui/open-view.tsx'),
    import('#config/preferences.ts'),
  ]);
  const { config, snapshot, asked, backends } = about;
  const preferences = openPreferences(invocation.terminal);
  const plans = [...config.plans.keys()].map((name) => ({ name, scopes: scopesNamed([name], config) }));
  const tabs = catalogTabs(snapshot, asked, plans, backends);
  const states = [...snapshot.backends.values()];
  const troubles = (['stale', 'gone'] as const).flatMap((bad) => {
    const number = states.filter(({ status }) => status === bad).length;
    return number === 0 ? [] : [`${number} ${bad}`];
  });
  const from = about.source === 'gateway' ? 'running gateway' : 'asked just now';
  const source = `${count(states.length, 'backend')}, ${from}`;
  const initial = catalogState(
    { tabs, plans, source, troubles },
    {
      tab: Math.max(
        0,
        tabs.findIndex(({ name }) => name === preferences.get('catalog.tab')),
      ),
      sort: catalogSorts.find((sort) => sort === preferences.get('catalog.sort')) ?? 'name',
      isRaw: preferences.get('catalog.schema') === 'json',
    },
  );
  const left = await openView(invocation, screen, preferences, {
    initial,
    frame: catalogFrame,
    press: pressInCatalog,
  });
  // The first may be called after a person whose token was looked through.
  preferences.set('catalog.tab', left.tab === 0 ? 'all' : (tabs[left.tab]?.name ?? 'all'));
  preferences.set('catalog.sort', left.sort);
  preferences.set('catalog.schema', left.isRaw ? 'json' : 'table');
  return exitCodes.done;
}
