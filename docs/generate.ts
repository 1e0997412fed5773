import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exampleYaml } from '#config/example.ts';
import { configJsonSchema } from '#config/json-schema.ts';
import { referencePage } from '#config/reference-page.ts';
import { commandsPage } from './commands-page.ts';
import { connectPage } from './connect-page.ts';
import { jsonPage } from './json-page.ts';
import { manualPage } from './manual-page.ts';

/** Generated files by their path below `docs/`. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['commands.md', commandsPage()],
    ['connect/README.md', connectPage()],
    ['cortex.1', manualPage()],
    ['json.md', jsonPage()],
    ['configuration.md', referencePage()],
    ['cortex.example.yaml', exampleYaml()],
    ['cortex.schema.json', `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`],
  ]);
}

if (import.meta.main) {
  for (const [name, text] of generatedFiles()) await writeFile(join(import.meta.dirname, name), text);
}
