import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes `cortex.yaml` into a folder (JSON is YAML) and gives its path. State and keys lie in the same folder. */
export async function writeConfig(
  folder: string,
  config: Readonly<Record<string, unknown>>,
): Promise<string> {
  const path = join(folder, 'cortex.yaml');
  await writeFile(
    path,
    JSON.stringify({ version: 1, state_dir: join(folder, 'state'), ...config }, undefined, 2),
  );
  return path;
}
