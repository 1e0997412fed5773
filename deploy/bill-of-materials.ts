import { createHash } from 'node:crypto';

/** What is read of an installed package: its `license`, a SPDX expression. */
export type LicenseOf = (path: string) => string | undefined;

interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  /** SHA-512 as hex. */
  readonly hash: string | undefined;
}

/** The software that is in the compiled file, as CycloneDX 1.6: from the lock file alone, so that the same one gives the same text. */
export function billOfMaterials(options: {
  readonly lock: unknown;
  readonly version: string;
  readonly bunVersion: string;
  readonly licenseOf: LicenseOf;
}) {
  const { version, bunVersion, licenseOf } = options;
  const { roots, packages } = readLock(options.lock);
  const shipped = closure(roots, packages);
  const self = purl('cortex-gateway', version);
  const bun = `pkg:github/oven-sh/bun@bun-v${bunVersion}`;
  const components = [
    {
      type: 'platform',
      'bom-ref': bun,
      name: 'bun',
      version: bunVersion,
      purl: bun,
      licenses: expression('MIT'),
    },
    ...[...shipped].map(([path, { name, version: of, hash }]) => ({
      type: 'library',
      'bom-ref': purl(name, of),
      name,
      version: of,
      purl: purl(name, of),
      ...(hash !== undefined && { hashes: [{ alg: 'SHA-512', content: hash }] }),
      ...expressionOf(licenseOf(path)),
    })),
  ];
  const unique = [
    ...new Map(components.map((component) => [component['bom-ref'], component])).values(),
  ].toSorted((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
  const refs = (from: string, names: readonly string[]) =>
    names.flatMap((name) => {
      const found = resolve(from, name, packages);
      return found === undefined ? [] : [purl(found[1].name, found[1].version)];
    });
  const dependencies = [
    { ref: self, dependsOn: [bun, ...refs('', roots)] },
    { ref: bun, dependsOn: [] },
    ...[...shipped].map(([path, locked]) => ({
      ref: purl(locked.name, locked.version),
      dependsOn: [...new Set(refs(path, locked.dependencies))],
    })),
  ];
  const body = {
    metadata: {
      component: {
        type: 'application',
        'bom-ref': self,
        name: 'cortex-gateway',
        version,
        licenses: expression('MIT'),
      },
    },
    components: unique,
    dependencies: [...new Map(dependencies.map((entry) => [entry.ref, entry])).values()],
  };
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(body))}`,
    version: 1,
    ...body,
  };
}

function readLock(lock: unknown) {
  const workspaces = member(member(lock, 'workspaces'), '');
  const packages = new Map<string, LockedPackage>();
  for (const [path, entry] of Object.entries(record(member(lock, 'packages')))) {
    if (!Array.isArray(entry)) continue;
    const [id, , about, integrity]: readonly unknown[] = entry;
    const at = typeof id === 'string' ? id.lastIndexOf('@') : -1;
    if (typeof id !== 'string' || at < 1) continue;
    packages.set(path, {
      name: id.slice(0, at),
      version: id.slice(at + 1),
      dependencies: ['dependencies', 'optionalDependencies', 'peerDependencies']
        .flatMap((kind) => Object.keys(record(member(about, kind))))
        .filter((needed) => !mayLack(about, needed)),
      hash:
        typeof integrity === 'string' && integrity.startsWith('sha512-')
          ? Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex')
          : undefined,
    });
  }
  return { roots: Object.keys(record(member(workspaces, 'dependencies'))), packages };
}

/** A peer that is optional, such as types or a debugger, is there for development alone. */
function mayLack(about: unknown, name: string): boolean {
  const optional = member(about, 'optionalPeers');
  return Array.isArray(optional) && optional.includes(name);
}

/** Everything that the roots lead to, by its path in the lock file. */
function closure(
  roots: readonly string[],
  packages: ReadonlyMap<string, LockedPackage>,
): ReadonlyMap<string, LockedPackage> {
  const found = new Map<string, LockedPackage>();
  const visit = (from: string, name: string): void => {
    const next = resolve(from, name, packages);
    if (next === undefined || found.has(next[0])) return;
    found.set(...next);
    for (const dependency of next[1].dependencies) visit(next[0], dependency);
  };
  for (const root of roots) visit('', root);
  return found;
}

/** The nearest package of that name, as a module is found: beside the one that asks, else further up. */
function resolve(
  from: string,
  name: string,
  packages: ReadonlyMap<string, LockedPackage>,
): readonly [path: string, locked: LockedPackage] | undefined {
  for (let parent = from; ; parent = parent.split('/').slice(0, -1).join('/')) {
    const path = parent === '' ? name : `${parent}/${name}`;
    const locked = packages.get(path);
    if (locked !== undefined) return [path, locked];
    if (parent === '') return undefined;
  }
}

function purl(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function expression(license: string) {
  return [{ expression: license }];
}

function expressionOf(license: string | undefined) {
  return license === undefined ? {} : { licenses: expression(license) };
}

/** A UUID (version 8: of one's own making) that stands for the text. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function member(value: unknown, key: string): unknown {
  return record(value)[key];
}
