import type { BunPlugin } from 'bun';

/** Ink offers to connect to a debugger that is not installed; left out of the file, it would not start. */
export const withoutDevtools: BunPlugin = {
  name: 'without-devtools',
  setup(build) {
    build.onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({
      path,
      namespace: 'without-devtools',
    }));
    build.onLoad({ filter: /./, namespace: 'without-devtools' }, () => ({
      loader: 'js',
      contents: 'export default undefined;',
    }));
  },
};
