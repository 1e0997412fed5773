import type { CatalogTool, QuarantinedItem, Snapshot } from './snapshot.ts';

/** One of the gates between a tool and a caller's list, in the order in which they are passed. */
export interface Gate {
  readonly gate:
    | 'token'
    | 'configured'
    | 'polled'
    | 'account'
    | 'listed'
    | 'quarantine'
    | 'chosen'
    | 'scopes';
  readonly isPassed: boolean;
  readonly detail: string;
  /** What to do about it, or to type. */
  readonly fix?: string;
}

/** What servers list to one person alone, where it is known whose eyes are looked through. */
export interface OwnHalf extends Pick<Snapshot, 'tools' | 'withheld' | 'quarantined'> {
  /** Servers where that person has linked no account -> the tool that links one. */
  readonly links: ReadonlyMap<string, string>;
  /** Servers that have not said in time what they list. */
  readonly late: ReadonlySet<string>;
}

/** Whose eyes are looked through. */
export interface Looker {
  readonly scopes: ReadonlySet<string>;
  /** The caller's own choice; undefined: all. */
  readonly backends: readonly string[] | undefined;
  /** Undefined: nobody in particular looks. */
  readonly own: OwnHalf | undefined;
  /** Servers that list to each person what their own account may use, with the prefix of their tools' names. */
  readonly privateServers: ReadonlyMap<string, string>;
}

/**
 * Why a set of scopes does or does not see a tool: every gate in order, up to and with the first that hides it.
 * `name` is a public name, current or former, or a backend's own name of something withheld.
 */
export function whyHidden(snapshot: Snapshot, name: string, looker: Looker): readonly Gate[] {
  const current = snapshot.formerNames.get(name) ?? name;
  const own = looker.own?.tools.get(current);
  const tool = snapshot.tools.get(current) ?? own;
  if (tool === undefined) return whyNotListed(snapshot, current, looker);
  const { backend, definition, publicName } = tool;
  const isFormer = publicName === name ? '' : `, formerly ${name}`;
  return upToRefusal([
    ...(own === undefined ? known(snapshot, backend) : [configured(backend), linked(backend, tool, looker)]),
    {
      gate: 'listed',
      isPassed: true,
      detail: `as ${publicName}${isFormer}${own === undefined ? '' : ', to this person alone'}`,
    },
    { gate: 'quarantine', isPassed: true, detail: 'its definition is not withheld' },
    chosen(backend, looker),
    scopesGate(definition.scopes, looker.scopes),
  ]);
}

function whyNotListed(snapshot: Snapshot, name: string, looker: Looker): readonly Gate[] {
  const { own, privateServers } = looker;
  const quarantined = snapshot.quarantined.tools.get(name) ?? own?.quarantined.tools.get(name);
  if (quarantined !== undefined) return whyQuarantined(snapshot, name, quarantined);
  const withheld = [...snapshot.withheld, ...(own?.withheld ?? [])].find(
    (item) => item.kind === 'tool' && (item.name === name || `${item.backend}_${item.name}` === name),
  );
  if (withheld !== undefined) {
    const { backend, reason } = withheld;
    const listed: Gate = {
      gate: 'listed',
      isPassed: false,
      detail: `withheld: ${reason}`,
      fix: withheldFixes[reason],
    };
    return [...known(snapshot, backend), listed];
  }
  const server = [...privateServers].find(([, prefix]) => name.startsWith(`${prefix}_`))?.[0];
  if (server !== undefined) return [configured(server), ...whyNotOwn(server, looker)];
  const gone = [...snapshot.backends.values()].filter(({ status }) => status === 'gone');
  const owner = gone.find(({ id }) => name.startsWith(`${id}_`));
  if (owner !== undefined) return known(snapshot, owner.id);
  return [
    {
      gate: 'configured',
      isPassed: false,
      detail: 'no backend lists a tool of this name',
      fix: 'look for it: cortex catalog',
    },
  ];
}

const withheldFixes = {
  name_collision: 'give one of the two backends another prefix',
  name_too_long: 'a shorter name, or a shorter prefix',
  name_reserved: 'another prefix: this name is the gateway’s own',
  name_illegal: 'have the backend name it with letters, digits, - and _',
  no_scope: 'have the backend name a scope for it',
  excluded: 'it is excluded by the configuration',
  illegal_param_header: 'have the backend mend x-mcp-header in its schema',
  scheme_taken: 'another scheme: this one is another backend’s',
  invalid_definition: 'have the backend mend it: cortex backend check says what is wrong',
} as const;

function whyQuarantined(
  snapshot: Snapshot,
  name: string,
  { backend, reason }: QuarantinedItem,
): readonly Gate[] {
  return [
    ...known(snapshot, backend),
    { gate: 'listed', isPassed: true, detail: `as ${name}` },
    {
      gate: 'quarantine',
      isPassed: false,
      detail: `quarantined: ${reason}`,
      fix: `look, then accept: cortex integrity diff ${name}`,
    },
  ];
}

function whyNotOwn(server: string, { own }: Looker): readonly Gate[] {
  const gate = 'account';
  if (own === undefined) {
    const detail = `${server} lists to each person what their own account may use`;
    return [{ gate, isPassed: false, detail, fix: 'look through somebody’s eyes: --token -' }];
  }
  const link = own.links.get(server);
  if (link !== undefined) {
    const detail = `this person has linked no account at ${server}`;
    return [{ gate, isPassed: false, detail, fix: `call ${link}, or open /link/${server}` }];
  }
  if (own.late.has(server)) {
    const detail = `${server} has not said in time what it lists to this person`;
    return [{ gate, isPassed: false, detail, fix: 'try again in a moment' }];
  }
  const detail = `${server} does not list it to this person`;
  const fix = 'what the account there may use is decided there; so are the scopes that open the server';
  return [{ gate: 'listed', isPassed: false, detail, fix }];
}

/** The gates of a backend that is asked once for all. */
function known(snapshot: Snapshot, backend: string): readonly Gate[] {
  const state = [...snapshot.backends.values()].find(({ id }) => id === backend);
  const status = state?.status ?? 'gone';
  if (status !== 'gone') return [configured(backend), { gate: 'polled', isPassed: true, detail: status }];
  const detail = state?.lastError ?? 'has not answered yet';
  const fix = `start it, or look at its url and technical_token: cortex doctor`;
  return [configured(backend), { gate: 'polled', isPassed: false, detail, fix }];
}

function configured(backend: string): Gate {
  return { gate: 'configured', isPassed: true, detail: `backend ${backend}` };
}

function linked(backend: string, { publicName }: CatalogTool, { own }: Looker): Gate {
  const isLink = own?.links.get(backend) === publicName;
  return {
    gate: 'account',
    isPassed: true,
    detail: isLink ? 'none is linked: this tool links one' : 'linked',
  };
}

function chosen(backend: string, { backends }: Looker): Gate {
  const gate = 'chosen';
  if (backends === undefined || backends.includes(backend))
    return { gate, isPassed: true, detail: 'not filtered out' };
  return {
    gate,
    isPassed: false,
    detail: `not among ${backends.join(', ')}`,
    fix: `name it as well: --backend ${backend}`,
  };
}

function scopesGate(needed: readonly string[], held: ReadonlySet<string>): Gate {
  const missing = needed.filter((scope) => !held.has(scope));
  if (missing.length === 0) return { gate: 'scopes', isPassed: true, detail: needed.join(' ') };
  const fix = `have the issuer grant ${missing.join(' ')}`;
  return { gate: 'scopes', isPassed: false, detail: `missing ${missing.join(' ')}`, fix };
}

function upToRefusal(gates: readonly Gate[]): readonly Gate[] {
  const refused = gates.findIndex(({ isPassed }) => !isPassed);
  return refused < 0 ? gates : gates.slice(0, refused + 1);
}
