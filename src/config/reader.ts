import type { JsonValue } from '#kernel/json.ts';
import { environmentName } from './environment-source.ts';
import { type Issue, type Origin, problem } from './issue.ts';
import type { KindProblem } from './kind.ts';
import type { AnyOption, Option } from './option.ts';
import { type Setting, type SettingPath, type Settings, showPath } from './settings.ts';

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
  originOf(path: SettingPath): Origin | undefined;
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

  return {
    issues,
    effective,
    originOf,
    isRefused: (path) => refused.some((bad) => path.every((segment, depth) => bad[depth] === segment)),
    keysBelow: (path) => settings.keysBelow(path),
    fail: (path, message, hint) => issues.push(problem(originOf(path), `${showPath(path)} ${message}`, hint)),
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
      issues.push(problem(originOf(path.slice(0, -1)), `${showPath(path)} is missing`, hint));
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
