#!/usr/bin/env node
// Runs the command with the Bun that was installed beside it, whatever runs this file.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const start = join(here, '..', 'dist', 'start.js');

/** In the package for this machine, or where the script of the `bun` package moved it to; npm may have been told to run none. */
function bunBeside() {
  const require = createRequire(import.meta.url);
  const cpu = process.arch === 'arm64' ? 'aarch64' : process.arch;
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const file = os === 'windows' ? 'bun.exe' : 'bun';
  const packages = [`@oven/bun-${os}-${cpu}`, `@oven/bun-${os}-${cpu}-musl`];
  const from = createRequire(require.resolve('bun/package.json'));
  for (const name of packages) {
    try {
      const path = join(dirname(from.resolve(`${name}/package.json`)), 'bin', file);
      if (existsSync(path)) return path;
    } catch {
      // The next one.
    }
  }
  const moved = join(dirname(require.resolve('bun/package.json')), 'bin', 'bun.exe');
  if (existsSync(moved)) return moved;
  throw new Error(
    `Bun is not installed for ${os} on ${process.arch}: install again, with optional dependencies`,
  );
}

// Of the folder it is started in no .env, bunfig.toml or tsconfig.json counts, as with the compiled file: the latter two
// could each name code to run.
const options = [
  '--no-env-file',
  `--config=${join(here, 'bunfig.toml')}`,
  `--tsconfig-override=${join(here, 'tsconfig.json')}`,
  '--no-install',
];
const given = [...options, start, ...process.argv.slice(2)];
const bun = process.versions.bun === undefined ? bunBeside() : process.execPath;
const child = spawn(bun, given, { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`error: ${error.message}\n`);
  process.exit(70);
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
