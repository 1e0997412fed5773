import type { BunPlugin } from 'bun';

/**
 * Built-in modules that load much of the runtime's own JavaScript and that a start hardly needs: `crypto` and `net`
 * alone bring all of `stream`, about 8 ms.
 */
const lazyModules = [
  'child_process',
  'crypto',
  'dgram',
  'dns/promises',
  'net',
  'os',
  'timers/promises',
  'tls',
  'tty',
  'util',
];
const imported = new RegExp(`(\\bfrom )(['"])node:(${lazyModules.join('|')})\\2`, 'g');
const prefix = 'lazy-builtin:';

/**
 * Loads those modules when one of their functions is first called, for our own files and the command line's parser.
 * Only functions and classes can be put off so, no class that somebody extends and nothing that hangs on a function;
 * an import of anything else fails the build. (The bundler asks no plugin about built-in modules, and must not take these for them: hence the other name.)
 */
export const lazyBuiltins: BunPlugin = {
  name: 'lazy-builtins',
  setup(build) {
    build.onLoad({ filter: /\/(src|commander\/lib)\/.*\.[jt]s$/ }, async ({ path, loader }) => {
      const text = await Bun.file(path).text();
      return { loader, contents: text.replaceAll(imported, `$1$2${prefix}$3$2`) };
    });
    build.onResolve({ filter: new RegExp(`^${prefix}`) }, ({ path }) => ({
      path,
      namespace: 'lazy-builtin',
    }));
    build.onLoad({ filter: /./, namespace: 'lazy-builtin' }, async ({ path }) => {
      const name = path.slice(prefix.length);
      const builtin: Readonly<Record<string, unknown>> = await import(`node:${name}`);
      const functions = Object.keys(builtin).filter(
        (key) => key !== 'default' && typeof builtin[key] === 'function',
      );
      return { loader: 'js', contents: wrapperOf(name, functions) };
    });
  },
};

function wrapperOf(name: string, functions: readonly string[]): string {
  return [
    'let loaded;',
    `const builtin = () => (loaded ??= process.getBuiltinModule('node:${name}'));`,
    ...functions.map(
      (called) =>
        `export function ${called}(...given) { const real = builtin().${called}; return new.target ? new real(...given) : real(...given); }`,
    ),
    `export default { ${functions.join(', ')} };`,
  ].join('\n');
}
