import { describe, expect, test } from 'vitest';
import { assemblePersonal, type PersonalSource } from '#catalog/assemble-personal.ts';
import { catalogOf, prompt, resource, rules, snapshotOf, source, template, tool } from './samples.ts';

type Made = Parameters<typeof source>;
function own(id: Made[0], catalog: NonNullable<Made[1]>, over: Made[2] = {}): PersonalSource {
  return { ...source(id, catalog, { sharesSchemes: true, ...over }), catalog: catalogOf(catalog) };
}
const shared = (...sources: Parameters<typeof snapshotOf>[0]) => snapshotOf(sources).snapshot;
const nothing = shared();
const reasons = ({ withheld }: ReturnType<typeof assemblePersonal>) =>
  withheld.map(({ backend, kind, name, reason }) => [backend, kind, name, reason]);

describe('the lists of one person (R19, R44)', () => {
  test('are named as those of everyone: prefix, mapped characters, order', () => {
    const made = assemblePersonal(nothing, rules, [
      own('b', { tools: [tool('z'), tool('a.b')], prompts: [prompt('p/q')] }),
      own('a', { tools: [tool('plain')] }, { prefix: '' }),
    ]);
    expect([...made.tools.keys()]).toEqual(['b_a_b', 'b_z', 'plain']);
    expect([...made.prompts.keys()]).toEqual(['b_p_q']);
    expect(made.tools.get('b_a_b')?.definition.name).toBe('a.b');
  });

  test('leave out what has no scope, is excluded, reserved, too long, or has an illegal header', () => {
    const illegal = { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': 'no good' } } };
    const made = assemblePersonal(nothing, rules, [
      own(
        'a',
        {
          tools: [
            tool('open', { scopes: [] }),
            tool('hidden'),
            tool('whoami'),
            tool('x'.repeat(49)),
            tool('bad', { inputSchema: illegal }),
          ],
          prompts: [prompt('p', [])],
        },
        { prefix: '', exclude: ['hidden'] },
      ),
    ]);
    expect([made.tools.size, made.prompts.size]).toEqual([0, 0]);
    expect(new Set(made.withheld.map(({ name, reason }) => `${name.slice(0, 6)} ${reason}`))).toEqual(
      new Set([
        'open no_scope',
        'hidden excluded',
        'whoami name_reserved',
        'xxxxxx name_too_long',
        'bad illegal_param_header',
        'p no_scope',
      ]),
    );
  });

  test('never take a name that is listed to all, was listed to all, or is an earlier server’s', () => {
    const first = snapshotOf([source('app', { tools: [tool('old'), tool('new')] }, { prefix: 'p' })]);
    const { snapshot } = snapshotOf([source('app', { tools: [tool('new')] }, { prefix: 'p' })], first);
    const made = assemblePersonal(snapshot, rules, [
      own('b', { tools: [tool('mine')] }, { prefix: 'p' }),
      own('a', { tools: [tool('old'), tool('new'), tool('mine')] }, { prefix: 'p' }),
    ]);
    expect([...made.tools.values()].map(({ publicName, backend }) => [publicName, backend])).toEqual([
      ['p_mine', 'a'],
    ]);
    expect(reasons(made)).toEqual([
      ['a', 'tool', 'new', 'name_collision'],
      ['a', 'tool', 'old', 'name_collision'],
      ['b', 'tool', 'mine', 'name_collision'],
    ]);
  });

  test('are not shown a second time where the same server lists the same to everyone', () => {
    const both = { tools: [tool('x')], prompts: [prompt('p')], resources: [resource('u://a/1')] };
    const made = assemblePersonal(shared(source('a', both, { sharesSchemes: true })), rules, [
      own('a', both),
    ]);
    expect([made.tools.size, made.prompts.size, made.resources.size]).toEqual([0, 0, 0]);
  });

  test('keep the names that the server had while its lists were everyone’s', () => {
    const first = snapshotOf([source('a', { tools: [tool('x')] })]);
    const { snapshot } = snapshotOf([source('a', {})], first);
    expect([...assemblePersonal(snapshot, rules, [own('a', { tools: [tool('x')] })]).tools.keys()]).toEqual([
      'a_x',
    ]);
  });

  test('prefer an own name that needs no mapping, and withhold the other', () => {
    const made = assemblePersonal(nothing, rules, [own('a', { tools: [tool('x.y'), tool('x_y')] })]);
    expect(made.tools.get('a_x_y')?.definition.name).toBe('x_y');
    expect(reasons(made)).toEqual([['a', 'tool', 'x.y', 'name_collision']]);
  });
});

describe('the resources of one person (R31)', () => {
  const app = source('app', {
    resources: [resource('docs://1')],
    resourceTemplates: [template('docs://{id}')],
  });

  test('carry the server’s id, and no scheme of an application', () => {
    const made = assemblePersonal(shared(app), rules, [
      own('a', {
        resources: [
          resource('file://a//x'),
          resource('file://b//x'),
          resource('docs://a/1'),
          resource('none'),
        ],
        resourceTemplates: [template('file://a/{x}'), template('docs://{id}'), template('file://a/{')],
      }),
    ]);
    expect([...made.resources.keys()]).toEqual(['file://a//x']);
    expect(made.templates.map(({ uriTemplate }) => uriTemplate)).toEqual(['file://a/{x}']);
    expect(reasons(made)).toEqual([
      ['a', 'resource', 'file://b//x', 'scheme_taken'],
      ['a', 'resource', 'docs://a/1', 'scheme_taken'],
      ['a', 'resource', 'none', 'invalid_definition'],
      ['a', 'template', 'docs://{id}', 'scheme_taken'],
      ['a', 'template', 'file://a/{', 'invalid_definition'],
    ]);
  });

  test('of servers whose URIs are kept as they are: the earlier server has what both list', () => {
    const kept = { sharesSchemes: false };
    const made = assemblePersonal(shared(app), rules, [
      own('b', { resources: [resource('test://1'), resource('test://2'), resource('docs://9')] }, kept),
      own('a', { resources: [resource('test://1'), resource('cortex://architecture')] }, kept),
    ]);
    expect([...made.resources.values()].map(({ uri, backend }) => [uri, backend])).toEqual([
      ['test://1', 'a'],
      ['test://2', 'b'],
    ]);
    expect(reasons(made).map(([, , uri, reason]) => [uri, reason])).toEqual([
      ['cortex://architecture', 'scheme_taken'],
      ['test://1', 'name_collision'],
      ['docs://9', 'scheme_taken'],
    ]);
  });
});
