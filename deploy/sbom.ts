import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { billOfMaterials } from './bill-of-materials.ts';

const root = join(import.meta.dirname, '..');
const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

function textAt(value: unknown, key: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: unknown = Object.entries(value).find(([name]) => name === key)?.[1];
  return typeof found === 'string' ? found : undefined;
}

/** Of an installed package; `a/@b/c` lies in `a/node_modules/@b/c`. */
function licenseOf(path: string): string | undefined {
  const names = path.match(/@[^/]+\/[^/]+|[^/]+/g) ?? [];
  const file = join(root, 'node_modules', names.join('/node_modules/'), 'package.json');
  return existsSync(file) ? textAt(json(file), 'license') : undefined;
}

const bill = billOfMaterials({
  lock: Bun.JSONC.parse(readFileSync(join(root, 'bun.lock'), 'utf8')),
  version: textAt(json(join(root, 'package.json')), 'version') ?? '0.0.0',
  bunVersion: Bun.version,
  licenseOf,
});
mkdirSync(join(root, 'dist'), { recursive: true });
const file = join(root, 'dist', 'cortex.cdx.json');
writeFileSync(file, `${JSON.stringify(bill, undefined, 2)}\n`);
process.stdout.write(`${file}: ${bill.components.length} components in CycloneDX ${bill.specVersion}\n`);
