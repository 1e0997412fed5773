import { err, ok, type Result } from '#kernel/result.ts';
import { compilePattern, type Pattern } from './uri-pattern.ts';

const MAX_TEMPLATE_LENGTH = 2_048;
const MAX_URI_LENGTH = 4_096;
const MAX_VARIABLES = 32;

const EXPRESSION = /^([+#./;?&]?)([A-Za-z0-9_.,:*%]+)$/;
const VARIABLE = /^([A-Za-z0-9_%][A-Za-z0-9_.%]{0,63})(\*|:[1-9][0-9]{0,3})?$/;

export type TemplateFault = 'too_long' | 'unbalanced' | 'bad_expression' | 'too_many_variables';

interface Variable {
  readonly name: string;
  readonly isExploded: boolean;
}

/**
 * A test of whether a concrete URI is one of a template's (RFC 6570, all levels, values read leniently).
 * Time is linear in URI times template whatever either holds. A URI with a `.` or `..` segment, plain or
 * percent-encoded, is nobody's: an application that normalises it would read something else.
 */
export function uriMatcher(template: string): Result<(uri: string) => boolean, TemplateFault> {
  if (template.length > MAX_TEMPLATE_LENGTH) return err('too_long');
  const patterns: Pattern[] = [];
  let variables = 0;
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    const literal = template.slice(at, open < 0 ? template.length : open);
    if (literal.includes('}')) return err('unbalanced');
    if (literal !== '') patterns.push({ kind: 'literal', text: literal });
    if (open < 0) break;
    const close = template.indexOf('}', open);
    if (close < 0) return err('unbalanced');
    const parsed = EXPRESSION.exec(template.slice(open + 1, close));
    if (parsed === null) return err('bad_expression');
    const names = parseVariables(parsed[2] ?? '');
    if (names === undefined) return err('bad_expression');
    variables += names.length;
    if (variables > MAX_VARIABLES) return err('too_many_variables');
    patterns.push(expressionPattern(parsed[1] ?? '', names));
    at = close + 1;
  }
  const matches = compilePattern({ kind: 'sequence', parts: patterns });
  const prefix = template.slice(0, template.includes('{') ? template.indexOf('{') : template.length);
  return ok(
    (uri) => uri.length <= MAX_URI_LENGTH && uri.startsWith(prefix) && !hasDotSegment(uri) && matches(uri),
  );
}

/** How many characters of a template are fixed: of two that match, the one with more says more. */
export function literalLength(template: string): number {
  return template.replace(/\{[^}]*\}/g, '').length;
}

function parseVariables(list: string): readonly Variable[] | undefined {
  const variables: Variable[] = [];
  for (const item of list.split(',')) {
    const parsed = VARIABLE.exec(item);
    if (parsed?.[1] === undefined) return undefined;
    variables.push({ name: parsed[1], isExploded: parsed[2] === '*' });
  }
  return variables;
}

function hasDotSegment(uri: string): boolean {
  const plain = uri.replace(/%2e/gi, '.').replace(/%2f|%5c|\\/gi, '/');
  return /(?:^|\/)\.\.?(?:[/?#]|$)/.test(plain);
}

const isControl = (code: number) => code < 0x20 || code === 0x7f;
const SLASH = 0x2f;
const QUERY = 0x3f;
const FRAGMENT = 0x23;
const COMMA = 0x2c;
const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;

const simple: Pattern = {
  kind: 'run',
  accepts: (code) =>
    !isControl(code) && code !== SLASH && code !== QUERY && code !== FRAGMENT && code !== COMMA,
};
const reserved: Pattern = { kind: 'run', accepts: (code) => !isControl(code) };
const pairValue: Pattern = {
  kind: 'run',
  accepts: (code) =>
    !isControl(code) && code !== AMPERSAND && code !== FRAGMENT && code !== SEMICOLON && code !== SLASH,
};
const pairName: Pattern = {
  kind: 'run',
  accepts: (code) =>
    !isControl(code) && code !== AMPERSAND && code !== FRAGMENT && code !== SEMICOLON && code !== 0x3d,
};

/** What one `{...}` may expand to. With an operator that brings its own first character it may be empty. */
function expressionPattern(operator: string, variables: readonly Variable[]): Pattern {
  switch (operator) {
    case '?':
    case '&':
      return named(operator, '&', variables);
    case ';':
      return named(';', ';', variables);
    case '/':
    case '.':
    case '#':
      return optional(
        sequence(
          literal(operator),
          list(variables, operator === '#' ? reserved : simple, operator === '#' ? ',' : operator),
        ),
      );
    case '+':
      return list(variables, reserved, ',');
    default:
      return list(variables, simple, ',');
  }
}

function list(variables: readonly Variable[], value: Pattern, separator: string): Pattern {
  const more = sequence(literal(separator), value);
  if (variables.some((variable) => variable.isExploded))
    return sequence(value, { kind: 'repeat', inner: more });
  return sequence(value, ...variables.slice(1).map(() => optional(more)));
}

function named(first: string, separator: string, variables: readonly Variable[]): Pattern {
  const pair: Pattern = {
    kind: 'choice',
    options: variables.map(({ name, isExploded }) =>
      sequence(isExploded ? pairName : literal(name), optional(sequence(literal('='), optional(pairValue)))),
    ),
  };
  const more: Pattern = { kind: 'repeat', inner: sequence(literal(separator), pair) };
  return optional(sequence(literal(first), pair, more));
}

function literal(text: string): Pattern {
  return { kind: 'literal', text };
}
function sequence(...parts: readonly Pattern[]): Pattern {
  return { kind: 'sequence', parts };
}
function optional(inner: Pattern): Pattern {
  return { kind: 'choice', options: [inner, { kind: 'sequence', parts: [] }] };
}
