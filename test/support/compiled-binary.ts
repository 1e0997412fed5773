import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Points `CORTEX_BIN` at `dist/cortex` unless it is set, and builds that file where it is missing. */
export async function useCompiledBinary(): Promise<void> {
  process.env.CORTEX_BIN ??= join(root, 'dist', 'cortex');
  if (existsSync(process.env.CORTEX_BIN)) return;
  const build = Bun.spawn([process.execPath, 'run', 'build'], {
    cwd: root,
    stdout: 'inherit',
    stderr: 'inherit',
  });
  if ((await build.exited) !== 0) throw new Error('the build failed');
}
