import { type Issue, type Origin, printable, showFile, showIssue, showOrigin } from '#config/issue.ts';
import { type LoadReport, loadConfig } from '#config/load-config.ts';
import type { EffectiveSetting } from '#config/reader.ts';
import type { JsonValue } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { loadOptionsOf } from '../load-options.ts';
import { count } from '../output.ts';

/** Validates the configuration and shows the effective one. Exit code 2: it has problems. */
export async function check(invocation: Invocation): Promise<number> {
  const outcome = await loadConfig(loadOptionsOf(invocation, false));
  const report = outcome.ok ? outcome.value : outcome.error;
  const show = invocation.output.isJson ? showJson : outcome.ok ? showSettings : showProblems;
  show(report, outcome.ok, invocation);
  return outcome.ok ? exitCodes.done : exitCodes.usage;
}

function showJson(report: LoadReport, isValid: boolean, { output }: Invocation): void {
  output.document({
    valid: isValid,
    file: report.file ?? null,
    problems: ofSeverity(report, 'error').map(issueJson),
    warnings: ofSeverity(report, 'warning').map(issueJson),
    settings: report.effective.map(({ path, value, origin }) => ({
      path,
      value,
      origin: originJson(origin),
    })),
  });
}

function showSettings(report: LoadReport, _isValid: boolean, { output, terminal }: Invocation): void {
  const rows = report.effective.map((setting) => row(setting, terminal.cwd));
  const isDefault = (at: number) => report.effective[at]?.origin.kind === 'default';
  output.table({ rows, style: (at) => (isDefault(at) ? 'dim' : undefined) });
  const warnings = ofSeverity(report, 'warning');
  for (const issue of warnings)
    output.warn(`${output.paint('yellow', 'warning:')} ${showIssue(issue, terminal.cwd)}`);
  const remark = warnings.length === 0 ? '' : `, with ${count(warnings.length, 'warning')}`;
  output.note(`${capitalised(source(report, terminal.cwd))} is valid${remark}.`);
}

function showProblems(report: LoadReport, _isValid: boolean, { output, terminal }: Invocation): void {
  for (const issue of report.issues) {
    const isError = issue.severity === 'error';
    const mark = isError ? '' : `${output.paint('yellow', 'warning:')} `;
    output.line(`${mark}${showIssue(issue, terminal.cwd)}`);
  }
  const problems = count(ofSeverity(report, 'error').length, 'problem');
  output.note(`${problems} in ${source(report, terminal.cwd)}. Put them right, then: cortex check`);
}

function row({ path, value, origin }: EffectiveSetting, cwd: string): readonly string[] {
  return [printable(path), printable(plainValue(value)), showOrigin(origin, cwd)];
}

function plainValue(value: JsonValue): string {
  if (value === null) return '-';
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.join(', ');
  return value === '' ? '""' : String(value);
}

function source(report: LoadReport, cwd: string): string {
  return report.file === undefined ? 'the environment' : showFile(report.file, cwd);
}

function capitalised(text: string): string {
  return text.startsWith('the ') ? `T${text.slice(1)}` : text;
}

function ofSeverity(report: LoadReport, severity: Issue['severity']): readonly Issue[] {
  return report.issues.filter((issue) => issue.severity === severity);
}

function issueJson(issue: Issue): JsonValue {
  const origin = issue.origin === undefined ? null : originJson(issue.origin);
  return { origin, message: issue.message, hint: issue.hint ?? null };
}

function originJson(origin: Origin): JsonValue {
  return { ...origin };
}
