import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Platform, platforms } from './build.ts';
import { notices } from './notices.ts';

const root = join(import.meta.dirname, '..');

/**
 * Makes what a release consists of, in `dist/release`: an archive a platform, their checksums, and `install.sh` that
 * knows where the release lies and the key it is signed with. Signing is left to whoever holds the key.
 * `bun deploy/release.ts <url of releases> <public key> [platform ...]`
 */
async function release(url: string, key: string, chosen: readonly Platform[]): Promise<void> {
  const out = join(root, 'dist', 'release');
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const sums: string[] = [];
  for (const platform of chosen) {
    const name = `cortex-${platform}.tar.gz`;
    await pack(platform, join(out, name));
    const sum = new Bun.CryptoHasher('sha256').update(await readFile(join(out, name))).digest('hex');
    sums.push(`${sum}  ${name}\n`);
    process.stdout.write(`${name} ${sum}\n`);
  }
  await writeFile(join(out, 'SHA256SUMS'), sums.join(''));
  await writeFile(
    join(out, 'install.sh'),
    stamped(await readFile(join(root, 'install.sh'), 'utf8'), url, key),
  );
}

async function pack(platform: Platform, archive: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'cortex-release-'));
  const file = platform.startsWith('windows') ? 'cortex.exe' : 'cortex';
  await build(join(work, file), platform);
  await chmod(join(work, file), 0o755);
  await copyFile(join(root, 'LICENSE'), join(work, 'LICENSE'));
  await writeFile(join(work, 'NOTICES.txt'), await notices());
  await copyFile(join(root, 'docs', 'cortex.1'), join(work, 'cortex.1'));
  // The same bytes of the same sources: no owner, no time of day.
  const options = ['--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--sort=name'];
  const made = Bun.spawnSync([
    'tar',
    ...options,
    '-I',
    'gzip -n',
    '-cf',
    archive,
    '-C',
    work,
    file,
    'cortex.1',
    'LICENSE',
    'NOTICES.txt',
  ]);
  if (made.exitCode !== 0) throw new Error(made.stderr.toString());
  await rm(work, { recursive: true });
}

function stamped(script: string, url: string, key: string): string {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: the shell reads these.
  const known = script
    .replace('release_url=${CORTEX_RELEASE_URL:-}', `release_url=\${CORTEX_RELEASE_URL:-'${url}'}`)
    .replace('release_key=${CORTEX_RELEASE_KEY:-}', `release_key=\${CORTEX_RELEASE_KEY:-'${key}'}`);
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: the shell reads these.
  if (!known.includes(url) || !known.includes(key))
    throw new Error('install.sh has no place for url and key');
  return known;
}

function isPlatform(name: string): name is Platform {
  return Object.hasOwn(platforms, name);
}

const [url = '', key = '', ...names] = process.argv.slice(2);
if (!/^https?:\/\/[^\s']+$/.test(url) || !/^ssh-ed25519 [A-Za-z0-9+/=]+( [^']*)?$/.test(key)) {
  throw new Error('usage: bun deploy/release.ts <url of releases> <ssh-ed25519 public key> [platform ...]');
}
const unknown = names.filter((name) => !isPlatform(name));
if (unknown.length > 0) throw new Error(`no such platform: ${unknown.join(', ')}`);
const all = Object.keys(platforms);
await release(url, key, (names.length > 0 ? names : all).filter(isPlatform));
