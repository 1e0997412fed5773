/** Why a documented command is not simply run and held to exit code 0. */
export interface Exception {
  /** How the command begins; on one page, where that is said. */
  readonly command: RegExp;
  readonly page?: string;
  /** Printed with the result of the tests. */
  readonly reason: string;
  /** It is run, and ends with one of these. */
  readonly exits?: readonly number[];
  /** It is run, goes on until it is stopped, and prints this. */
  readonly until?: RegExp;
  /** It is stopped with the sandbox only, as in a terminal that stays open. */
  readonly stays?: true;
  /** It is run where no gateway runs yet. */
  readonly alone?: true;
  /** What a reader has done before, without its being said each time. */
  readonly before?: string;
  /** It is run where this is installed. */
  readonly needs?: string;
  /** The file that holds more about it than this test could. */
  readonly shownBy?: string;
}

const vendor = 'needs the client of another maker, and an account there';
const itself = 'is, or is made of, checks that .ci/run makes; here they would run inside themselves';
const template = {
  reason: 'each template is begun, started and tried elsewhere',
  shownBy: 'test/e2e/backend-templates.test.ts',
};
const goesOn = 'goes on until it is stopped';
const shared = 'export CORTEX_TECHNICAL_TOKEN=a-secret-of-the-documents-0123456789';
const ready = /gateway\.listening/;

/** The first that fits counts. Each must fit some command. */
export const exceptions: readonly Exception[] = [
  { command: /^(?:claude|code|codex|gemini|openclaw|hermes) /, reason: vendor },

  {
    command: /^(?:npx -y bun@1\.4\.5|bun) run (?:test|check|build|conformance|bench)\b/,
    reason: itself,
  },
  {
    command: /^bun run fuzz/,
    reason: 'takes minutes; the tests hold a shorter run',
    shownBy: 'test/fuzz/parsers.test.ts',
  },
  { command: /^(?:CORTEX_BIN=\S+ bun run test|\.ci\/run|npx -y bun@1\.4\.5 install)/, reason: itself },
  {
    command: /^sh install\.sh$/,
    reason: 'builds for half a minute',
    shownBy: 'test/compiled/install.test.ts',
  },
  { command: /./, page: 'templates/bun/README.md', ...template },
  { command: /./, page: 'templates/go/README.md', ...template },
  { command: /./, page: 'templates/node/README.md', ...template },
  { command: /./, page: 'templates/python/README.md', ...template },
  { command: /^cortex vault link/, reason: 'opens a browser', shownBy: 'test/cli/vault-link.test.ts' },
  {
    command: /^cortex doctor .*--sign-in/,
    reason: 'opens a browser',
    shownBy: 'test/cli/doctor-sign-in.test.ts',
  },
  {
    command: /^cortex doctor .*--listen-for/,
    reason: 'takes two minutes',
    shownBy: 'test/cli/doctor-deployments.test.ts',
  },
  { command: /\| source$/, reason: 'the words of another shell', shownBy: 'test/cli/completion.test.ts' },

  {
    command: /^npx -y bun@1\.4\.5 run demo$/,
    page: 'docs/demo.md',
    reason: goesOn,
    until: /Ctrl-C stops it/,
    stays: true,
    alone: true,
  },
  {
    command: /^(?:npx -y bun@1\.4\.5 run|cortex) demo$/,
    reason: goesOn,
    until: /Ctrl-C stops it/,
    alone: true,
  },
  { command: /^cortex demo --url/, reason: goesOn, until: /Ctrl-C stops it/ },
  { command: /^cortex init$/, reason: 'asks on a terminal', shownBy: 'test/cli/init.test.ts' },
  {
    command: /^cortex init --url/,
    reason: 'a configuration is there',
    alone: true,
    before: 'rm cortex.yaml',
  },
  {
    command: /^cortex catalog .*--why linear_find/,
    reason: 'the tool is hidden, and that is the answer',
    exits: [1],
  },
  { command: /^ssh /, reason: 'needs another machine' },
  { command: /^cortex stdio .*--login/, reason: 'opens a browser', shownBy: 'test/cli/stdio.test.ts' },
  { command: /^\S+ -y \S+ bin\/cortex\.ts serve --config mine/, reason: goesOn, until: ready },
  { command: /^cortex serve --dev --config dev/, reason: goesOn, until: /tools="/, stays: true },
  { command: /(?:^|\/)cortex serve/, reason: goesOn, until: ready, alone: true },
  {
    command: /^OAUTH_ISSUER=\S+ .*node demo-tasks\.mjs$/s,
    reason: goesOn,
    until: /listening on/,
    stays: true,
  },
  { command: /^cortex audit (?:tail|export).* -f(?: \||$)/, reason: goesOn, until: /./ },
  { command: /^curl -sN/, reason: goesOn, until: /./ },

  {
    command: /^cortex backend init crm --template/,
    reason: 'the folder of the line before is in its way',
    before: 'rm -r crm',
  },
  {
    command: /^cortex backend check/,
    reason: 'the secret is the one that the backend was started with',
    before: shared,
  },
  {
    command: /^cortex catalog .*--why billing_refund/,
    reason: 'the tool is hidden, and that is the answer',
    exits: [1],
  },
  {
    command: /^cortex explain billing_refund/,
    reason: 'nothing is called so, and that is the answer',
    exits: [1],
  },
  { command: /^cortex audit verify$/, reason: 'the newest records are not signed yet', exits: [4] },
  {
    command: /^cortex audit verify --dir/,
    reason: 'the newest records are not signed yet',
    exits: [4],
    before:
      'cp -r "$SANDBOX/var/lib/cortex/audit" copy; key=$(cortex audit verify 2>&1 | grep -o "public key [A-Za-z0-9_-]*" | cut -d " " -f 3 || true)',
  },
  {
    command: /^cortex audit verify --anchors/,
    reason: 'no checkpoint is made in the first minute, and what follows one is not signed yet',
    exits: [2, 4],
    before: 'cortex audit export --format anchors > anchors.jsonl',
    shownBy: 'test/audit/anchors.test.ts',
  },
  {
    command: /^cortex audit reveal/,
    reason: 'the pseudonym is one of the audit',
    before:
      'pseudonym=$(cortex audit tail --json -n 20 | grep -o -m 1 \'"user":"[^"]*\' | cut -d \'"\' -f 4)',
  },
  {
    command: /^cortex integrity (?:diff|approve) notes_list_notes/,
    reason: 'no definition has changed',
    exits: [1],
    shownBy: 'test/cli/integrity.test.ts',
  },
  { command: /^cortex vault erase ada --issuer/, reason: 'the line before has erased ada', exits: [1] },
  { command: /^rsync /, reason: 'where rsync is not installed', needs: 'rsync' },
  {
    command: /^cortex vault unlink/,
    reason: 'nobody has linked an account',
    exits: [1],
    shownBy: 'test/cli/vault.test.ts',
  },
];
