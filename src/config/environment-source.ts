import type { Origin } from './issue.ts';
import { type Issue, showOrigin, warning } from './issue.ts';
import { nearest } from './nearest.ts';
import type { AnyOption, ExistingName } from './option.ts';
import { laterNames, memberLists, otherNames } from './options.ts';
import type { Setting, SettingPath, Settings } from './settings.ts';
import type { Shape } from './shape.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The name of the variable that sets a path: `gateway.listen` -> `CORTEX__GATEWAY__LISTEN`. */
export function environmentName(path: SettingPath): string {
  return ['CORTEX', ...path].join('__').toUpperCase().replaceAll('-', '_');
}

/**
 * Puts what the environment says into `settings`, which hold the file's values: `CORTEX__...` names replace
 * them, the names of existing deployments fill in what is open. Returns warnings: of names that nothing reads,
 * that a file overrules, or whose capability this version lacks. An empty variable counts as unset.
 */
export function readEnvironment(
  environment: Environment,
  table: readonly AnyOption[],
  shape: Shape,
  settings: Settings,
  base: string,
): readonly Issue[] {
  const issues: Issue[] = [];
  const known = new Set<string>([...memberLists.map(({ name }) => name), ...otherNames]);
  const value = (name: string) => (environment[name] === '' ? undefined : environment[name]);
  const put = (path: SettingPath, option: AnyOption, raw: string, name: string) =>
    settings.set(settingOf(path, option, raw, name, base));

  for (const name of Object.keys(environment).sort()) {
    const raw = value(name);
    if (raw === undefined || !name.startsWith('CORTEX__')) continue;
    const place = findPlace(name.slice('CORTEX__'.length).split('__'), shape, settings);
    if (place === undefined) continue;
    known.add(name);
    put(place.path, place.option, raw, name);
  }
  for (const option of table) {
    const path = option.path.split('.');
    for (const name of option.environment) {
      const raw = value(name);
      known.add(name);
      if (raw === undefined || settings.get(path)?.origin.kind === 'environment') continue;
      put(path, option, raw, name);
    }
  }

  const hasOwnIssuers = settings.keysBelow(['auth', 'issuers']).length > 0;
  const sections = new Map(memberLists.map(({ name, section }) => [section, readMembers(name, section)]));

  for (const option of table) for (const existing of option.existing) applyExisting(option, existing);
  for (const name of Object.keys(environment).sort()) {
    if (value(name) !== undefined && /^(CORTEX_|OAUTH_)/.test(name) && !known.has(name)) warnOfUnknown(name);
  }
  return issues;

  function readMembers(name: string, section: string): Members {
    const isOverruled = settings.keysBelow([section]).length > 0;
    const listed = splitIds(value(name));
    if (!isOverruled) for (const id of listed) settings.addMember([section, id], env(name));
    const ids = settings.keysBelow([section]);
    if (isOverruled && listed.length > 0) overruled(name, settings.memberOrigin([section, ids[0] ?? '']));
    return { ids, listed };
  }

  function applyExisting(option: AnyOption, existing: ExistingName): void {
    const { ids, listed } = sections.get(sectionOf(option)) ?? { ids: [], listed: [] };
    if (existing.name.includes('<ID>')) {
      for (const id of new Set([...ids, ...listed])) {
        const name = existing.name.replace('<ID>', capitals(id));
        fill(option, existing, name, placeOf(option, id), !ids.includes(id));
      }
      return;
    }
    known.add(existing.name);
    const raw = value(existing.name);
    if (raw === undefined) return;
    switch (existing.reach) {
      case 'one':
        fill(option, existing, existing.name, option.path.split('.'), false);
        return;
      case 'first':
        fill(option, existing, existing.name, placeOf(option, '0'), hasOwnIssuers);
        return;
      case 'admin':
        fill(option, existing, existing.name, placeOf(option, 'admin'), false);
        return;
      case 'each':
        for (const id of ids) {
          if (settings.get(placeOf(option, id)) === undefined)
            put(placeOf(option, id), option, raw, existing.name);
        }
        return;
      case 'listed':
        for (const id of splitIds(raw)) {
          if (ids.includes(id)) put(placeOf(option, id), option, 'true', existing.name);
          else issues.push(warning(env(existing.name), `${id} is not a backend`, didYouMean(id, ids)));
        }
    }
  }

  function fill(
    option: AnyOption,
    existing: ExistingName,
    name: string,
    path: SettingPath,
    isBlocked: boolean,
  ): void {
    known.add(name);
    const raw = value(name);
    if (raw === undefined) return;
    const present = settings.get(path);
    if (present !== undefined || isBlocked) {
      overruled(name, present?.origin ?? settings.memberOrigin(path.slice(0, -1)));
      return;
    }
    put(
      path,
      option,
      /^\d+$/.test(raw) && existing.unit !== undefined ? `${raw}${existing.unit}` : raw,
      name,
    );
  }

  function overruled(name: string, by: Origin | undefined): void {
    const source = by === undefined ? 'the config file' : showOrigin(by, '/');
    issues.push(warning(env(name), `has no effect: ${source} comes first`));
  }

  function warnOfUnknown(name: string): void {
    const later = laterNames.find((candidate) => templatePattern(candidate.name).test(name));
    if (later !== undefined) {
      issues.push(warning(env(name), `has no effect: not available in this version (${later.capability})`));
      return;
    }
    const belongsTo = table.find(({ existing }) =>
      existing.some((candidate) => templatePattern(candidate.name).test(name)),
    );
    const list = memberLists.find(({ section }) => belongsTo && section === sectionOf(belongsTo));
    if (list !== undefined) {
      const what = list.section.slice(0, -1);
      issues.push(warning(env(name), `has no effect: ${list.name} names no such ${what}`));
      return;
    }
    const templates = table.flatMap((option) => option.existing.map((existing) => existing.name));
    const candidates = [
      ...known,
      ...templates.filter((candidate) => !candidate.includes('<')),
      ...laterNames.map((candidate) => candidate.name),
      ...table
        .filter((option) => !option.path.includes('<'))
        .map((option) => environmentName(option.path.split('.'))),
    ];
    issues.push(warning(env(name), 'is not read by anything', didYouMean(name, candidates)));
  }
}

interface Members {
  /** All there are, wherever they are named. */
  readonly ids: readonly string[];
  /** Those that the variable names. */
  readonly listed: readonly string[];
}

function sectionOf(option: AnyOption): string {
  return option.path.split('.', 1)[0] ?? '';
}

function env(name: string): Origin {
  return { kind: 'environment', name };
}

function settingOf(path: SettingPath, option: AnyOption, raw: string, name: string, base: string): Setting {
  return { path, option, raw, origin: env(name), itemOrigins: [], base, isWithheld: false };
}

function placeOf(option: AnyOption, key: string): SettingPath {
  return option.path.split('.').map((segment) => (segment.startsWith('<') ? key : segment));
}

/** Walks the tree along a `CORTEX__` name; keys of the operator's choice are matched to those that exist. */
function findPlace(
  segments: readonly string[],
  root: Shape,
  settings: Settings,
): { readonly path: SettingPath; readonly option: AnyOption } | undefined {
  let place = root;
  const path: string[] = [];
  for (const segment of segments) {
    const fixed = place.children.get(segment.toLowerCase());
    const next = fixed ?? place.any;
    if (next === undefined || segment === '') return undefined;
    const existing = fixed
      ? undefined
      : settings.keysBelow(path).find((key) => capitals(key) === segment.toUpperCase());
    // A key in capitals (the variables of a command) stays as it is spelled.
    const isSpelled = fixed === undefined && /<[A-Z]+>$/.test(next.path);
    path.push(existing ?? (isSpelled ? segment : segment.toLowerCase()));
    place = next;
  }
  return place.option === undefined ? undefined : { path, option: place.option };
}

function capitals(id: string): string {
  return id.toUpperCase().replaceAll('-', '_');
}

function splitIds(raw: string | undefined): readonly string[] {
  return (raw ?? '').split(/[\s,]+/).filter((id) => id !== '');
}

function templatePattern(template: string): RegExp {
  return new RegExp(`^${template.replace('<ID>', '[A-Z0-9_]+')}$`);
}

function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const close = nearest(name, candidates);
  return close === undefined ? undefined : `Did you mean ${close}?`;
}
