import { writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

interface Failure {
  readonly title: string;
  readonly message: string;
}

/**
 * Ends a run with what failed, each with its file, title and message, and a last line that counts: whoever has no more
 * than the end of a log knows. `.ci/run` takes both from the file named in TEST_REPORT.
 */
export class FailureList implements Reporter {
  readonly #print: (text: string) => void;
  readonly #reportFile: string | undefined;

  constructor(print: (text: string) => void, reportFile: string | undefined) {
    this.#print = print;
    this.#reportFile = reportFile;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const failures = [...modules.flatMap(failuresOf), ...unhandled.map(outsideOfTests)];
    const passed = modules.flatMap((module) => [...module.children.allTests('passed')]).length;
    const list = failures.map(({ title, message }) => `FAILED ${title}\n${indent(message)}\n`).join('');
    if (this.#reportFile !== undefined) {
      writeFileSync(this.#reportFile, `${passed} ${failures.length}\n${list}`);
    }
    this.#print(`${list}${passed} passed, ${failures.length} failed\n`);
  }
}

function failuresOf(module: TestModule): readonly Failure[] {
  const file = module.relativeModuleId;
  const loading = module.errors().map((error) => ({ title: file, message: describe(error) }));
  const hooks = [...module.children.allSuites()].flatMap((suite) =>
    suite.errors().map((error) => ({ title: `${file} > ${suite.fullName}`, message: describe(error) })),
  );
  const tests = [...module.children.allTests('failed')].map((test) => ({
    title: `${file} > ${test.fullName}`,
    message: (test.result().errors ?? []).map(describe).join('\n'),
  }));
  const found = [...loading, ...hooks, ...tests];
  return found.length > 0 || module.ok() ? found : [{ title: file, message: 'did not run to its end' }];
}

function outsideOfTests(error: SerializedError): Failure {
  return { title: 'outside of any test', message: describe(error) };
}

function describe(error: SerializedError): string {
  const frame = error.stacks?.at(0);
  const place = frame === undefined ? '' : `\nat ${frame.file}:${frame.line}`;
  const text = `${error.message}${place}${error.diff === undefined ? '' : `\n${error.diff}`}`;
  return stripVTControlCharacters(text).split('\n').slice(0, longestMessageLines).join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}

const longestMessageLines = 30;
