import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** The words for one kind of no: where the code has them, and where people read what they mean. */
interface Vocabulary {
  /** `file name`: a type or constant, or `reason` and the like for the member of an interface. */
  readonly code: readonly string[];
  readonly page: string;
  /** The heading over the table; undefined: the page has one table of reasons. */
  readonly section?: string;
}

const vocabularies: readonly Vocabulary[] = [
  { code: ['auth/refusal.ts authRefusalReasons'], page: 'auth-errors.md', section: 'The reasons' },
  { code: ['mcp/refusal.ts reason'], page: 'protocol-errors.md' },
  { code: ['backends/backend.ts BackendFailureReason'], page: 'backend-errors.md' },
  { code: ['vault/linking/link-failure.ts linkMessages'], page: 'linking.md', section: 'When it fails' },
  { code: ['auth/revocation.ts reason'], page: 'revocation.md', section: 'When it cannot be acknowledged' },
  {
    code: ['auth/feeds/refusal.ts feedRefusalReasons'],
    page: 'revocation-feeds.md',
    section: 'Why an event is refused',
  },
  {
    code: ['server/admin/admin-refusal.ts AdminRefusalReason', 'server/answer-operation.ts reason'],
    page: 'admin.md',
    section: 'When it says no',
  },
  {
    code: ['audit/audit-break.ts AuditBreakReason', 'audit/chain-check.ts ChainBreakReason'],
    page: 'audit.md',
    section: 'What verifying shows',
  },
  { code: ['audit/reveal.ts reason'], page: 'audit-export.md' },
  {
    code: ['integrity/baseline-keeper.ts BaselineProblem', 'integrity/baseline-text.ts TextProblem'],
    page: 'integrity.md',
    section: 'The baseline',
  },
  {
    code: ['catalog/snapshot.ts reason', 'catalog/public-name.ts NameRefusal'],
    page: 'reasons.md',
    section: 'Left out of the catalog',
  },
  { code: ['wire/param-headers.ts fault'], page: 'reasons.md', section: 'Headers of parameters' },
  { code: ['catalog/snapshot.ts QuarantineReason'], page: 'reasons.md', section: 'Quarantined' },
  {
    code: ['integrity/baseline-keeper.ts KeepRefusal', 'integrity/integrity-desk.ts WishRefusal'],
    page: 'integrity.md',
    section: 'When it says no',
  },
  { code: ['integrity/finding.ts FindingReason'], page: 'reasons.md', section: 'Found in a text' },
  { code: ['vault/vault-desk.ts reason'], page: 'reasons.md', section: 'Asked of the vault' },
  {
    code: ['auth/sign-in.ts SignInFailure', 'auth/code-flow.ts CodeFailure'],
    page: 'reasons.md',
    section: 'Signing in on the pages',
  },
  { code: ['backends/backend.ts reason'], page: 'reasons.md', section: 'Identities' },
  {
    code: ['adapter/stdio-process.ts StdioStartProblem'],
    page: 'reasons.md',
    section: 'Commands that do not start',
  },
  {
    code: ['keys/key-file.ts KeyFileProblem', 'keys/key-ring.ts KeyTextProblem'],
    page: 'reasons.md',
    section: 'Keys',
  },
];

/** What nobody is shown: one part's word to another, which says it in words of the tables above. */
const passedOn: ReadonlySet<string> = new Set([
  'auth/feeds/subject.ts SubjectProblem',
  'identity/exchange-request.ts reason',
  'identity/linked.ts TokenRefusal',
  'keys/sealer.ts OpenRefusal',
  'outbound/outbound.ts reason',
]);

const files = readdirSync(join(root, 'src'), { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.ts') && !file.startsWith('demo/'))
  .sort();
const source = (file: string) => readFileSync(join(root, 'src', file), 'utf8').replaceAll(/ *\/\/.*$/gm, '');

const declaration =
  /^(?:export )?(?:type|const) (\w*(?:Reasons?|Refusal|Failure|Problem|Messages))\b[^=;]*=([\s\S]*?);\n/gm;
const member = /readonly (reason|problem|fault):((?:\s*\|?\s*'[a-z0-9_]+')+)(?:;| \})/g;

/** `file name` of each set of words in the code -> the words. */
const inCode = new Map<string, Set<string>>();
for (const file of files) {
  const text = source(file);
  const add = (name: string, words: readonly string[]) => {
    const key = `${file} ${name}`;
    if (words.length > 0) inCode.set(key, new Set([...(inCode.get(key) ?? []), ...words]));
  };
  for (const [, name = '', body = ''] of text.matchAll(declaration)) {
    // A union of strings, a list of them, or an object whose keys they are; of objects `member` reads the words.
    if (
      /\b(?:Record|Pick|Extract)</.test(body) ||
      /[{(]\s*(?:readonly|\n\s*readonly)/.test(body) ||
      /=>/.test(body)
    )
      continue;
    const isObject = body.trimStart().startsWith('{');
    const words = [...body.matchAll(isObject ? /^ {2}([a-z0-9_]+):/gm : /'([a-z0-9_]+)'/g)];
    add(
      name,
      words.map(([, word = '']) => word),
    );
  }
  for (const [, name = '', body = ''] of text.matchAll(member))
    add(
      name,
      [...body.matchAll(/'([a-z0-9_]+)'/g)].map(([, word = '']) => word),
    );
}
// What answers to programs without being anything but that.
const answered = [...source('server/answer-operation.ts').matchAll(/reason: '([a-z_]+)'/g)];
inCode.set('server/answer-operation.ts reason', new Set(answered.map(([, word = '']) => word)));

function inDocs({ page, section }: Vocabulary): readonly string[] {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  const part = section === undefined ? text : (text.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? '');
  const tables = part.split('\n\n').filter((block) => /^\| *reason +\|/.test(block.trimStart()));
  return tables.flatMap((table) => [...table.matchAll(/^\| `([a-z0-9_]+)`/gm)].map(([, word = '']) => word));
}

describe.each(vocabularies)('docs/$page $section', (vocabulary) => {
  test('has a row for every reason in the code, and no other', () => {
    const words = new Set(vocabulary.code.flatMap((name) => [...(inCode.get(name) ?? [])]));
    expect(words.size).toBeGreaterThan(1);
    expect([...inDocs(vocabulary)].sort()).toEqual([...words].sort());
  });
});

test('no set of reasons in the code is without a table: a new one goes into this test, and into docs', () => {
  const known = new Set([...vocabularies.flatMap(({ code }) => code), ...passedOn]);
  const sets = [...inCode].filter(([, words]) => words.size > 1).map(([name]) => name);
  // Messages and lists that are made of a known set repeat its words.
  const words = new Set([...known].flatMap((name) => [...(inCode.get(name) ?? [])]));
  const unknown = sets.filter(
    (name) => !known.has(name) && [...(inCode.get(name) ?? [])].some((word) => !words.has(word)),
  );
  expect(unknown).toEqual([]);
  expect([...known].filter((name) => !inCode.has(name))).toEqual([]);
});
