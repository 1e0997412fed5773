import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Issue, printable, showFile, showIssue } from '#config/issue.ts';
import type { Invocation } from '../command.ts';
import type { Examined } from '../doctor/examine.ts';
import { exitCodeOf, reportOf, showStep } from '../doctor/report.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { configText } from '../init/config-text.ts';
import { type Draft, secretFile } from '../init/draft.ts';
import { gatherDraft } from '../init/gather.ts';
import { checkIssuer } from '../init/look-at-issuer.ts';
import type { Questions } from '../init/questions.ts';
import { alreadyThere, type Saved, saveConfig } from '../init/save.ts';

/** Writes a `cortex.yaml` that `cortex check` passes. Exit codes: 1 the issuer would fail a client, 3 it does not answer. */
export async function init(invocation: Invocation): Promise<number> {
  const { options, output, terminal } = invocation;
  const file = resolve(terminal.cwd, options.text('config') ?? 'cortex.yaml');
  const isForced = options.has('force');
  if (existsSync(file) && !isForced) throw alreadyThere(file);
  const mayAsk = terminal.isInteractive && !output.isJson && !options.has('yes');
  const ask = mayAsk ? await questions(options.has('color')) : undefined;

  const draft = await gatherDraft(invocation, ask);
  const taken = options.has('check') ? await judge(invocation, draft, ask) : [];
  const text = configText(draft, new Date().toISOString().slice(0, 10));
  const ids = draft.technicalTokenVariable === undefined ? [...draft.backends.keys()] : [];
  const secrets = new Map(ids.map((id) => [id, secretFile(id)]));
  const saved = await saveConfig({ file, text, isForced }, secrets, terminal);
  if (!saved.ok) throw unsound(saved.error.issues, terminal.cwd);
  const next = nextSteps(draft, saved.value, terminal.cwd);
  if (output.isJson) {
    output.document({
      file: saved.value.file,
      backup: saved.value.backup ?? null,
      issuer: { url: draft.issuer.url, preset: draft.issuer.preset, check: reportOf(taken) },
      plans: Object.fromEntries([...draft.plans].map(([name, scopes]) => [name, [...scopes]])),
      secrets: saved.value.secrets.map(({ id, file: path, isOld }) => ({ id, file: path, kept: isOld })),
      warnings: saved.value.warnings.map((issue) => showIssue(issue, terminal.cwd)),
      next: next.map(({ command }) => command),
    });
    return exitCodes.done;
  }
  tell(invocation, saved.value, next);
  return exitCodes.done;
}

async function questions(mayColor: boolean): Promise<Questions> {
  // The library asks the environment, and nothing else.
  if (!mayColor) process.env.NO_COLOR = '1';
  const { createQuestions } = await import('../init/questions.ts');
  return createQuestions('Cortex Gateway: a configuration to begin with');
}

/** What would stop a client at the issuer stops here too, unless the person wants it so. */
async function judge(
  invocation: Invocation,
  { url, issuer, plans }: Draft,
  ask: Questions | undefined,
): Promise<readonly Examined[]> {
  const { output, terminal } = invocation;
  const scopes = [...new Set([...plans.values()].flat())];
  const aside = { ...output, line: output.note };
  const taken = await checkIssuer(url, issuer, scopes, (examined) => {
    if (!output.isJson) showStep(aside, examined, { hasMany: false, terminal });
  });
  const code = exitCodeOf(taken);
  if (code === exitCodes.done) return taken;
  if (await ask?.confirm('No client would get past that. Write the file all the same?', false)) return taken;
  const last = taken.at(-1)?.finding;
  throw new UserError(`${last?.found ?? 'the issuer cannot be checked'}: nothing was written`, {
    exitCode: code === exitCodes.unreachable ? exitCodes.unreachable : exitCodes.no,
    next: `${last?.fix ?? 'put it right'}; or leave out the look at the issuer: --no-check`,
  });
}

interface NextStep {
  readonly command: string;
  readonly meaning: string;
}

function nextSteps(
  { issuer, backends, technicalTokenVariable }: Draft,
  saved: Saved,
  cwd: string,
): readonly NextStep[] {
  const file = quoted(showFile(saved.file, cwd));
  const flag = saved.file === resolve(cwd, 'cortex.yaml') ? '' : ` --config ${file}`;
  const secrets = saved.secrets.map(({ id, file: path }) => ({
    command: `export CORTEX_TECHNICAL_TOKEN=$(cat ${quoted(showFile(path, cwd))})`,
    meaning: `where ${id} runs: the secret that only the two share`,
  }));
  return [
    ...(backends.size === 0
      ? [{ command: 'cortex backend init my-app', meaning: 'an application to begin with' }]
      : []),
    ...(technicalTokenVariable === undefined ? secrets : []),
    { command: `cortex check --config ${file}`, meaning: 'what is in effect, secrets included' },
    { command: `cortex doctor --config ${file}`, meaning: `the issuer (${issuer.preset}) and each backend` },
    { command: `cortex serve${flag}`, meaning: 'the gateway' },
    { command: `cortex connect${flag}`, meaning: 'how each client connects' },
  ];
}

function tell({ output, terminal }: Invocation, saved: Saved, next: readonly NextStep[]): void {
  const { cwd } = terminal;
  const show = (path: string) => printable(showFile(path, cwd));
  if (saved.backup !== undefined) output.note(`What was there is kept in ${show(saved.backup)}`);
  for (const { id, file, isOld } of saved.secrets)
    output.note(
      `${isOld ? 'kept' : 'made'} ${show(file)}: the technical token of ${id}${isOld ? '' : ', readable by you alone'}`,
    );
  for (const issue of saved.warnings)
    output.warn(`${output.paint('yellow', 'warning:')} ${showIssue(issue, cwd)}`);
  output.note('');
  output.line(`wrote ${show(saved.file)}`);
  output.note('Next:');
  for (const { command, meaning } of next) {
    output.note(`  ${output.paint('bold', command)}`);
    output.note(`      ${meaning}`);
  }
  if (dirname(saved.file) === '/etc/cortex')
    output.note('The service reads it as its own user: chown the secrets to that user.');
}

function unsound(issues: readonly Issue[], cwd: string): UserError {
  const lines = issues
    .filter(({ severity }) => severity === 'error')
    .map((issue) => `\n  ${showIssue(issue, cwd)}`);
  return new UserError(`the configuration would not be valid: nothing was written${lines.join('')}`, {
    next: 'give what is missing; see: cortex init --help',
  });
}

function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
