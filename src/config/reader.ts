import type { JsonValue } from '#kernel/json.ts';
import { environmentName } from './environment-source.ts';
import { type Issue, type Origin, problem } from './issue.ts';
import type { KindProblem } from './kind.ts';
import type { AnyOption, Option } from './option.ts';
import { type Setting, type SettingPath, type Settings, showPath } from './settings.ts';

/** Of each map and list of the operator's choice, but for the backends and servers. */
const maxKeys = 1_000;

/** One line of the effective configuration. */
export interface EffectiveSetting {
  /** Dotted. */
  readonly path: string;
  /** Ready to show, secrets redacted; null where nothing is set. */
  readonly value: JsonValue;
  readonly origin: Origin;
}

/** Turns settings into typed values, and remembers what it gave out and what was wrong. */
export interface Reader {
  /** The value, else the option's default. `keys` fill the path's placeholders in order. */
  read<T, F>(option: Option<T, F>, keys?: readonly string[]): T | F;
  /** The value, else `computed`. */
  readOr<T>(option: Option<T, T | undefined>, keys: readonly string[], computed: T): T;
  /** As `read`; an absent value is a problem. */
  readRequired<T>(option: Option<T, undefined>, keys: readonly string[]): T | undefined;
  keysBelow(path: SettingPath): readonly string[];
  /** As `keysBelow`, cut at `max`; that there are more is a problem. */
  boundedKeys(path: SettingPath, max?: number): readonly string[];
  /** One value a key below the path, in the order of the file. */
  mapOf<V>(path: SettingPath, read: (key: string) => V): ReadonlyMap<string, V>;
  originOf(path: SettingPath): Origin | undefined;
  /** Whether a source gives a value, usable or not. */
  isSet(path: SettingPath): boolean;
  /** Whether a value at or below the path could not be used. */
  isRefused(path: SettingPath): boolean;
  fail(path: SettingPath, message: string, hint?: string): void;
  readonly issues: readonly Issue[];
  readonly effective: readonly EffectiveSetting[];
}

export function createReader(settings: Settings): Reader {
  const issues: Issue[] = [];
  const effective: EffectiveSetting[] = [];
  const refused: SettingPath[] = [];

  const originOf = (path: SettingPath) => settings.get(path)?.origin ?? settings.memberOrigin(path);

  /** Of what the missing setting would stand in. */
  function nearestOrigin(path: SettingPath): Origin | undefined {
    const around = path.map((_, depth) => path.slice(0, path.length - 1 - depth));
    return around.map(originOf).find((origin) => origin !== undefined);
  }

  function note<V>(option: AnyOption, path: SettingPath, value: V, origin: Origin): V {
    const shown = value === undefined ? null : option.kind.show(value);
    effective.push({ path: showPath(path), value: shown, origin });
    return value;
  }

  /** Undefined: nothing usable was set; what was wrong with it is noted. */
  function parse<T>(option: Option<T, unknown>, setting: Setting): { readonly value: T } | undefined {
    const path = showPath(setting.path);
    if (setting.isWithheld) {
      effective.push({ path, value: '[secret, not read]', origin: setting.origin });
      return undefined;
    }
    const parsed = option.kind.parse(setting.raw);
    if (!parsed.ok) {
      refused.push(setting.path);
      issues.push(problem(problemOrigin(setting, parsed.error), `${path}: ${quote(setting, parsed.error)}`));
      return undefined;
    }
    return { value: option.kind.resolve?.(parsed.value, setting.base) ?? parsed.value };
  }

  function readValue<T, F>(option: Option<T, unknown>, keys: readonly string[], otherwise: T | F): T | F {
    const path = concretePath(option, keys);
    const setting = settings.get(path);
    if (setting === undefined) return note(option, path, otherwise, { kind: 'default' });
    const parsed = parse(option, setting);
    return parsed === undefined ? otherwise : note(option, path, parsed.value, setting.origin);
  }

  const fail: Reader['fail'] = (path, message, hint) =>
    void issues.push(problem(originOf(path), `${showPath(path)} ${message}`, hint));

  function boundedKeys(path: SettingPath, max = maxKeys): readonly string[] {
    const keys = settings.keysBelow(path);
    if (keys.length > max) fail(path, `holds more than ${max} entries`);
    return keys.slice(0, max);
  }

  return {
    issues,
    effective,
    originOf,
    isSet: (path) => settings.get(path) !== undefined,
    boundedKeys,
    mapOf: (path, read) => new Map(boundedKeys(path).map((key) => [key, read(key)])),
    isRefused: (path) => refused.some((bad) => path.every((segment, depth) => bad[depth] === segment)),
    keysBelow: (path) => settings.keysBelow(path),
    fail,
    read: (option, keys = []) => readValue(option, keys, option.fallback),
    readOr: readValue,
    readRequired(option, keys) {
      const path = concretePath(option, keys);
      const setting = settings.get(path);
      if (setting !== undefined) {
        const parsed = parse(option, setting);
        return parsed === undefined ? undefined : note(option, path, parsed.value, setting.origin);
      }
      const name = option.existing[0]?.name.replace(
        '<ID>',
        environmentName([keys[0] ?? '']).slice('CORTEX__'.length),
      );
      const hint = name === undefined ? undefined : `Write it in the config file, or set ${name}.`;
      issues.push(problem(nearestOrigin(path), `${showPath(path)} is missing`, hint));
      return undefined;
    },
  };
}

function concretePath(option: AnyOption, keys: readonly string[]): SettingPath {
  const left = [...keys];
  return option.path
    .split('.')
    .map((segment) => (segment.startsWith('<') ? (left.shift() ?? segment) : segment));
}

function problemOrigin(setting: Setting, fault: KindProblem): Origin {
  return (fault.item === undefined ? undefined : setting.itemOrigins[fault.item]) ?? setting.origin;
}

function quote(setting: Setting, fault: KindProblem): string {
  if (setting.option.kind.isSecret) return `the secret ${fault.what}`;
  const written =
    typeof setting.raw === 'string'
      ? setting.raw
      : fault.item === undefined
        ? undefined
        : setting.raw[fault.item];
  if (written === undefined) return fault.what;
  const short = written.length > 60 ? `${written.slice(0, 57)}...` : written;
  return `${JSON.stringify(short)} ${fault.what}`;
}
