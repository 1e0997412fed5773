import type { Snapshot } from '#catalog/snapshot.ts';
import { type Gate, type Looker, whyHidden } from '#catalog/why-hidden.ts';
import type { Config } from '#config/config.ts';
import { printable } from '#config/issue.ts';
import { holdsAll } from '#kernel/principal.ts';
import { scopesNamed } from './catalog-scopes.ts';
import type { Output } from './output.ts';
import type { TokenSight } from './token-sight.ts';

/** Every gate before a tool in its order, up to and with the one that hides it. The token's is the first, where there is one. */
export function gatesBefore(
  tool: string,
  about: {
    readonly config: Config;
    readonly snapshot: Snapshot;
    readonly scopes: ReadonlySet<string>;
    readonly backends: readonly string[] | undefined;
    readonly sight: TokenSight | undefined;
    /** Milliseconds since the epoch. */
    readonly now: number;
  },
): readonly Gate[] {
  const { config, snapshot, scopes, backends, sight, now } = about;
  const token = sight === undefined ? [] : [tokenGate(sight, now)];
  if (token.some(({ isPassed }) => !isPassed)) return token;
  const looker: Looker = { scopes, backends, own: sight?.own, privateServers: privateServersOf(config) };
  return [
    ...token,
    ...whyHidden(snapshot, tool, looker).map((gate) => withPlans(gate, tool, snapshot, config, looker)),
  ];
}

/** Servers with lists of each person's own, and the prefixes of their tools. */
function privateServersOf({ servers }: Config): ReadonlyMap<string, string> {
  const all = [...servers.values()].filter(({ list }) => list === 'private');
  return new Map(all.map(({ id, prefix }) => [id, prefix]));
}

function tokenGate({ holder, refused, by }: TokenSight, now: number): Gate {
  if (holder === undefined) {
    const { reason = 'refused', detail, fix } = refused ?? {};
    const about = detail === undefined ? '' : ` (${detail})`;
    return {
      gate: 'token',
      isPassed: false,
      detail: `refused: ${reason}${about}`,
      ...(fix !== undefined && { fix }),
    };
  }
  const minutes = Math.floor((holder.expiresAt * 1_000 - now) / 60_000);
  const plan = holder.plan === undefined ? 'no plan' : `plan ${holder.plan}`;
  const unasked = by === 'gateway' ? '' : '; not asked: revocations, linked accounts';
  return {
    gate: 'token',
    isPassed: true,
    detail: `${holder.subject}, ${plan}, ${minutes} more minutes${unasked}`,
  };
}

/** Which plan would open it. */
function withPlans(gate: Gate, tool: string, snapshot: Snapshot, config: Config, { own }: Looker): Gate {
  if (gate.gate !== 'scopes' || gate.isPassed) return gate;
  const current = snapshot.formerNames.get(tool) ?? tool;
  const needed = (snapshot.tools.get(current) ?? own?.tools.get(current))?.definition.scopes ?? [];
  const opened = [...config.plans.keys()].filter((plan) => holdsAll(scopesNamed([plan], config), needed));
  return opened.length === 0
    ? gate
    : { ...gate, fix: `${gate.fix}; the plan ${opened.join(' or ')} has it all` };
}

/** The gates as a table, and what to do about the one that hides it. */
export function showGates(output: Output, tool: string, gates: readonly Gate[]): boolean {
  const isVisible = gates.every(({ isPassed }) => isPassed);
  if (output.isJson) {
    output.document({ tool, visible: isVisible, gates: gates.map((gate) => ({ ...gate })) });
    return isVisible;
  }
  const rows = gates.map(({ gate, isPassed, detail }) => [
    gate,
    isPassed ? 'pass' : 'HIDDEN',
    printable(detail),
  ]);
  output.table({ rows, style: (at) => (gates[at]?.isPassed === false ? 'red' : undefined) });
  const fix = gates.find(({ isPassed }) => !isPassed)?.fix;
  if (fix !== undefined) output.note(`fix: ${printable(fix)}`);
  return isVisible;
}
