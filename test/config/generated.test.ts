import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '#cli/commands.ts';
import { exampleYaml } from '#config/example.ts';
import { configJsonSchema } from '#config/json-schema.ts';
import { allOptions } from '#config/options.ts';
import { generatedFiles } from '../../docs/generate.ts';
import { attempt } from './load.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');

describe('generated files', () => {
  test.each([...generatedFiles()])('docs/%s is what `bun run docs` writes', async (name, text) => {
    expect(await readFile(join(docs, name), 'utf8')).toBe(text);
  });

  test('the example loads without a problem or a warning', async () => {
    const { config, issues } = await attempt({ yaml: exampleYaml(), environment: { NOTES_TOKEN: 'x' } });
    expect(issues).toEqual([]);
    expect(config?.gateway.url).toBe('https://mcp.example.com/mcp');
  });

  test('the example loads with every comment made a setting that has a default', async () => {
    const bare = exampleYaml()
      .split('\n')
      .map((line) => line.replace(/^( *)# (?=[a-z_"][^ ]*:)/, '$1'))
      .join('\n');
    const { issues } = await attempt({ yaml: bare, environment: { NOTES_TOKEN: 'x' } });
    expect(issues.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  test('the reference page names every option', () => {
    const page = generatedFiles().get('configuration.md') ?? '';
    expect(allOptions.filter((option) => !page.includes(`\`${option.path}\``))).toEqual([]);
  });

  test('the page of commands names every command and every option of each', () => {
    const page = generatedFiles().get('commands.md') ?? '';
    expect(commands.filter(({ name }) => !page.includes(`\n## cortex ${name}\n`))).toEqual([]);
    const names = commands.flatMap(({ options }) => options.map(({ name }) => name));
    expect(names.filter((name) => !page.includes(`--${name}`))).toEqual([]);
  });

  test('no two options share a path', () => {
    const paths = allOptions.map((option) => option.path);
    expect(new Set(paths).size).toBe(paths.length);
  });
});

describe('the JSON Schema', () => {
  test('knows every option, and refuses every other key', () => {
    const schema = configJsonSchema();
    expect(schema).toMatchObject({
      additionalProperties: false,
      properties: {
        version: { type: 'integer' },
        gateway: { additionalProperties: false, properties: { listen: { default: '127.0.0.1:3213' } } },
        auth: { properties: { issuers: { type: 'array', items: { required: ['url'] } } } },
        plans: { additionalProperties: { type: 'array', minItems: 1 } },
        backends: { additionalProperties: { required: ['url'], additionalProperties: false } },
        store: { pattern: '^sqlite:.+' },
      },
    });
  });
});
