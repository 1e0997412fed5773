import { release } from '#cli/release.ts';

/** What differs from run to run, and is the same where two texts mean the same. Longer ones come first. */
const volatile: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  [/\b20\d\d-\d\d-\d\d \d\d:\d\d\b/g, '<minute>'],
  [/\b1[6-9]\d{11}\b/g, '<epoch ms>'],
  [/("(?:ms|\w*_ms|\w*Ms)\\?": ?)\d+(?:\.\d+)?/g, '$1<n>'],
  [/\b\d+(?:\.\d+)? ms\b/g, '<n> ms'],
  [/("pid": ?)\d+/g, '$1<pid>'],
  [/\bpid \d+/g, 'pid <pid>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uuid>'],
  [/("chain\\?": ?\\?")[0-9a-f]{12}/g, '$1<chain>'],
  [/("prev\\?": ?\\?")[\w-]{43}/g, '$1<hash>'],
  [/("sig": ?")[\w-]{86}/g, '$1<signature>'],
  [/\b(127\.0\.0\.1|localhost|\[::1\]):[2-6]\d{4}\b/g, '$1:<port>'],
];

/** The text with everything of this run and this machine replaced by what it stands for. */
export function masked(
  text: string,
  names: Readonly<Record<string, string>>,
  more: readonly (readonly [pattern: RegExp, name: string])[],
): string {
  const own = Object.entries({ ...names, version: release.version })
    .filter(([, value]) => value !== '')
    .toSorted(([, one], [, other]) => other.length - one.length);
  let result = text;
  for (const [name, value] of own) result = result.replaceAll(value, `<${name}>`);
  for (const [pattern, name] of [...more, ...volatile]) result = result.replaceAll(pattern, name);
  return result;
}

/** The command line of a case with the values that its world has for `<name>`. */
export function filledIn(line: string, names: Readonly<Record<string, string>>): string {
  return line.replaceAll(/<([\w-]+)>/g, (whole, name: string) => names[name] ?? whole);
}
