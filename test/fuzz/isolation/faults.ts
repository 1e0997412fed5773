import type { Backend } from '#backends/backend.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import type { GatewayDeps } from '#gateway.ts';
import type { Principal } from '#kernel/principal.ts';
import type { EdgeDeps } from '#mcp/deps.ts';
import type { PersonalPart } from '#mcp/personal-part.ts';
import type { StateBinding } from '#mcp/request-state.ts';
import type { PushStream } from '#mcp/streams.ts';
import type { Store } from '#store/store.ts';
import type { GrantOwner } from '#vault/grant.ts';
import type { Vault } from '#vault/vault.ts';

type Instead = NonNullable<GatewayDeps['instead']>;

/** A map that is made by what it forgets to ask: whose it is. */
function kept<K, V>(): (key: K, make: () => V) => V {
  const all = new Map<K, V>();
  return (key, make) => {
    const value = all.get(key) ?? make();
    all.set(key, value);
    return value;
  };
}

/** Whoever came first stands for everybody. */
function first<T>(): (one: T) => T {
  let known: T | undefined;
  return (one) => {
    known ??= one;
    return known;
  };
}

/** Mistakes that somebody could make, each behind a port of the gateway; made anew for each run. */
export const faults: Readonly<Record<string, () => Instead>> = {
  'a person’s lists kept under the scopes alone': () => {
    const keep = kept<string, PersonalPart | Promise<PersonalPart>>();
    const edge = (deps: EdgeDeps): EdgeDeps => {
      const of: EdgeDeps['personal']['of'] = (snapshot, principal) =>
        keep(`${snapshot.generation} ${principal.scopeKey}`, () => deps.personal.of(snapshot, principal));
      return { ...deps, personal: { ...deps.personal, of } };
    };
    return { edge };
  },
  'a person’s tools merged into everybody’s view': () => {
    let last: PersonalPart | undefined;
    const edge = (deps: EdgeDeps): EdgeDeps => ({
      ...deps,
      personal: {
        ...deps.personal,
        async of(snapshot, principal) {
          last = await deps.personal.of(snapshot, principal);
          return last;
        },
      },
      snapshot(): Snapshot {
        const snapshot = deps.snapshot();
        return { ...snapshot, tools: new Map([...snapshot.tools, ...(last?.tools ?? [])]) };
      },
    });
    return { edge };
  },
  'pages with somebody’s own entries kept without whose they are': () => {
    const pages = new Map<string, ReturnType<EdgeDeps['views']['page']>>();
    const edge = (deps: EdgeDeps): EdgeDeps => {
      const page: EdgeDeps['views']['page'] = (view, kind, era, cursor, own) => {
        const key = JSON.stringify([view.key, kind, era, cursor]);
        const made = pages.get(key) ?? deps.views.page(view, kind, era, cursor, own);
        if (own !== undefined) pages.set(key, made);
        return made;
      };
      return { ...deps, views: { ...deps.views, page } };
    };
    return { edge };
  },
  'answers kept by what was asked, not by whom': () => {
    const keep = kept<string, ReturnType<Backend['call']>>();
    const forgetful = (backend: Backend): Backend => ({
      ...backend,
      call: (tool, context) =>
        keep(JSON.stringify([backend.id, tool.name]), () => backend.call(tool, context)),
    });
    const edge = (deps: EdgeDeps): EdgeDeps => ({
      ...deps,
      backend(id) {
        const backend = deps.backend(id);
        return backend && forgetful(backend);
      },
    });
    return { edge };
  },
  'resources read with the account of whoever read first': () => {
    const whose = first<Principal>();
    const edge = (deps: EdgeDeps): EdgeDeps => ({
      ...deps,
      backend(id) {
        const backend = deps.backend(id);
        if (backend === undefined || id !== 'board') return backend;
        return {
          ...backend,
          read: (uri, of) => backend.read(uri, { ...of, principal: whose(of.principal) }),
        };
      },
    });
    return { edge };
  },
  'the vault’s rows swapped: everybody’s is whoever’s was read first': () => {
    const whose = first<GrantOwner>();
    const vault = (made: Vault): Vault => ({
      ...made,
      grants: { ...made.grants, get: (owner, server) => made.grants.get(whose(owner), server) },
    });
    return { vault };
  },
  'the vault’s rows kept by server alone': () => {
    const owners = new Map<string, GrantOwner>();
    const vault = (made: Vault): Vault => ({
      ...made,
      grants: {
        ...made.grants,
        put(owner, server, grant) {
          owners.set(server, owner);
          return made.grants.put(owner, server, grant);
        },
        list: (owner) => made.grants.list(owners.get('board') ?? owner),
      },
    });
    return { vault };
  },
  'retries of a call that fit anybody': () => {
    const whose = first<Principal>();
    const anybody = (binding: StateBinding): StateBinding => ({
      ...binding,
      principal: whose(binding.principal),
      parameters: {},
    });
    const edge = (deps: EdgeDeps): EdgeDeps => {
      const { states } = deps.interactive;
      const forgetful: typeof states = {
        ...states,
        seal: (binding, state) => states.seal(anybody(binding), state),
        open: (binding, sealed) => states.open(anybody(binding), sealed),
      };
      return { ...deps, interactive: { ...deps.interactive, states: forgetful } };
    };
    return { edge };
  },
  'what whoami says kept under the scopes alone': () => {
    const edge = (deps: EdgeDeps): EdgeDeps => ({
      ...deps,
      builtins: new Map(
        [...deps.builtins].map(([name, builtin]) => {
          if (name !== 'whoami') return [name, builtin];
          const answers = kept<string, ReturnType<typeof builtin.run>>();
          const run: typeof builtin.run = (with_, call, args) =>
            answers(call.principal.scopeKey, () => builtin.run(with_, call, args));
          return [name, { ...builtin, run }];
        }),
      ),
    });
    return { edge };
  },
  'streams held under whoever opened the one before': () => {
    let before: Principal | undefined;
    const whose = (principal: Principal): Principal => {
      const other = before ?? principal;
      before = principal;
      return other;
    };
    const held = new Map<PushStream, PushStream>();
    const edge = (deps: EdgeDeps): EdgeDeps => ({
      ...deps,
      streams: {
        ...deps.streams,
        get size() {
          return deps.streams.size;
        },
        add(stream) {
          const other = { ...stream, principal: whose(stream.principal), wantsResource: () => true };
          held.set(stream, other);
          return deps.streams.add(other);
        },
        delete: (stream) => deps.streams.delete(held.get(stream) ?? stream),
      },
    });
    return { edge };
  },
  'a table read without whose rows are meant': () => {
    const store = (made: Store): Store => ({
      ...made,
      all: (sql, ...params) =>
        /FROM tickets WHERE reporter/.test(sql)
          ? made.all(sql.replace('reporter = ?', '? IS NOT NULL'), ...params)
          : made.all(sql, ...params),
    });
    return { store };
  },
};

/** Mistakes that show on disk alone. */
export const faultsOnDisk: Readonly<Record<string, () => Instead>> = {
  'a token written beside the sealed one': () => {
    let opened: Store | undefined;
    return {
      store(made) {
        opened = made;
        return made;
      },
      vault: (made) => ({
        ...made,
        grants: {
          ...made.grants,
          async put(owner, server, grant) {
            const token = grant.accessToken.reveal();
            await opened?.run('INSERT OR REPLACE INTO session_tombstones VALUES (?, ?)', token, 1);
            return made.grants.put(owner, server, grant);
          },
        },
      }),
    };
  },
  'a person’s lists saved with the catalog': () => {
    let opened: Store | undefined;
    return {
      store(made) {
        opened = made;
        return made;
      },
      edge: (deps) => ({
        ...deps,
        personal: {
          ...deps.personal,
          async of(snapshot, principal) {
            const part = await deps.personal.of(snapshot, principal);
            const text = JSON.stringify([...part.tools.values()]);
            await opened?.run('UPDATE catalog_snapshot SET catalog = ?', text);
            return part;
          },
        },
      }),
    };
  },
};
