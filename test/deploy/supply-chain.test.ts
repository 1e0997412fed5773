import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { billOfMaterials } from '../../deploy/bill-of-materials.ts';
import { judgeAudit } from '../../deploy/judge-audit.ts';

const root = join(import.meta.dirname, '../..');
const lock: unknown = Bun.JSONC.parse(readFileSync(join(root, 'bun.lock'), 'utf8'));
const bill = (of: unknown = lock) =>
  billOfMaterials({ lock: of, version: '1.2.3', bunVersion: '1.4.5', licenseOf: () => 'MIT' });

describe('the bill of materials', () => {
  const { components, dependencies } = bill();
  const names = components.map(({ name }) => name);

  test('names what is shipped, by version, hash and licence, and nothing that only builds or tests', () => {
    expect(names).toEqual(
      expect.arrayContaining([
        'bun',
        'jose',
        'undici',
        'yaml',
        'ink',
        'conf',
        '@modelcontextprotocol/client',
      ]),
    );
    for (const tool of ['vitest', '@biomejs/biome', 'oidc-provider', 'fast-check', '@types/react'])
      expect(names).not.toContain(tool);
    for (const component of components) {
      expect(component.licenses).toEqual([{ expression: 'MIT' }]);
      expect(component.purl).toMatch(/^pkg:(?:npm|github)\/[^@]+@[^@]+$/);
      if (component.type === 'library') expect(component).toMatchObject({ hashes: [{ alg: 'SHA-512' }] });
    }
    const client = components.find(({ name }) => name === '@modelcontextprotocol/client');
    expect(client?.purl).toBe(`pkg:npm/%40modelcontextprotocol/client@${client?.version}`);
  });

  test('is a document of CycloneDX 1.6 whose references all lead somewhere', () => {
    const { bomFormat, specVersion, serialNumber, version, metadata } = bill();
    expect([bomFormat, specVersion, version]).toEqual(['CycloneDX', '1.6', 1]);
    expect(serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    const refs = new Set([
      metadata.component['bom-ref'],
      ...components.map((component) => component['bom-ref']),
    ]);
    expect(refs.size).toBe(components.length + 1);
    expect(dependencies.map(({ ref }) => ref).toSorted()).toEqual([...refs].toSorted());
    for (const { dependsOn } of dependencies) for (const ref of dependsOn) expect(refs).toContain(ref);
  });

  test('is the same for the same lock file', () => {
    expect(JSON.stringify(bill())).toBe(JSON.stringify(bill()));
  });

  test('takes the version that lies nearest to the one that needs it', () => {
    const nested = bill({
      workspaces: { '': { dependencies: { a: '1', b: '2' } } },
      packages: {
        a: ['a@1.0.0', '', { dependencies: { b: '1' } }, 'sha512-AA=='],
        b: ['b@2.0.0', '', {}, 'sha512-AA=='],
        'a/b': ['b@1.0.0', '', {}, 'sha512-AA=='],
      },
    });
    expect(nested.dependencies.find(({ ref }) => ref === 'pkg:npm/a@1.0.0')?.dependsOn).toEqual([
      'pkg:npm/b@1.0.0',
    ]);
    expect(nested.components.map(({ version }) => version)).toEqual(['1.4.5', '1.0.0', '1.0.0', '2.0.0']);
  });
});

describe('the audit of dependencies', () => {
  test('fails for an advisory, and says which', () => {
    const advisory = {
      id: 1,
      title: 'Prototype pollution',
      severity: 'high',
      url: 'https://example.com/GHSA-1',
    };
    expect(judgeAudit(JSON.stringify({ left: [advisory] }), '')).toEqual({
      isClean: false,
      text: 'left: high: Prototype pollution https://example.com/GHSA-1',
    });
  });

  test('passes where there is none', () => {
    expect(judgeAudit('{}', '')).toEqual({ isClean: true, text: 'no advisory about what is shipped' });
  });

  test('says that a registry could not be reached, and does not fail for it', () => {
    expect(judgeAudit('', 'error: POST https://registry.example/bulk - 405\n')).toEqual({
      isClean: true,
      text: 'not audited: the registry could not be asked (error: POST https://registry.example/bulk - 405)',
    });
    expect(judgeAudit('<html>', '').isClean).toBe(true);
  });
});
