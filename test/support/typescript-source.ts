/** One module specifier as written, with its line. */
export interface ImportedModule {
  readonly specifier: string;
  readonly line: number;
}

const regexMayFollow =
  /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|yield|await))$/;

/**
 * The source with comments, the contents of strings and of regular expressions turned into spaces; same length,
 * same lines. Expressions inside template literals stay. JSX text is not recognised.
 */
export function maskSource(source: string): string {
  const out = [...source];
  const templates: number[] = [];
  let depth = 0;
  let position = 0;
  const blank = (from: number, to: number): void => {
    for (let index = from; index < to && index < out.length; index += 1) {
      if (out[index] !== '\n') out[index] = ' ';
    }
  };
  const endOfQuoted = (from: number, quote: string): number => {
    let index = from;
    while (index < source.length && source[index] !== quote && source[index] !== '\n') {
      index += source[index] === '\\' ? 2 : 1;
    }
    return index;
  };
  const skipTemplate = (from: number): number => {
    let index = from;
    while (index < source.length && source[index] !== '`' && !source.startsWith('${', index)) {
      index += source[index] === '\\' ? 2 : 1;
    }
    blank(from, index);
    if (source[index] !== '$') return index + 1;
    templates.push(depth);
    return index + 2;
  };
  const endOfRegex = (from: number): number => {
    let index = from;
    let inClass = false;
    while (index < source.length && source[index] !== '\n' && (inClass || source[index] !== '/')) {
      if (source[index] === '[') inClass = true;
      if (source[index] === ']') inClass = false;
      index += source[index] === '\\' ? 2 : 1;
    }
    return index;
  };
  while (position < source.length) {
    const character = source[position] ?? '';
    if (source.startsWith('//', position) || (position === 0 && source.startsWith('#!'))) {
      const newline = source.indexOf('\n', position);
      const end = newline < 0 ? source.length : newline;
      blank(position, end);
      position = end;
    } else if (source.startsWith('/*', position)) {
      const close = source.indexOf('*/', position + 2);
      const end = close < 0 ? source.length : close + 2;
      blank(position, end);
      position = end;
    } else if (character === "'" || character === '"') {
      const end = endOfQuoted(position + 1, character);
      blank(position + 1, end);
      position = end + 1;
    } else if (character === '`') {
      position = skipTemplate(position + 1);
    } else if (character === '}' && templates.at(-1) === depth) {
      templates.pop();
      position = skipTemplate(position + 1);
    } else if (character === '/' && regexMayFollow.test(before(out, position))) {
      const end = endOfRegex(position + 1);
      blank(position + 1, end);
      position = end + 1;
    } else {
      if (character === '{') depth += 1;
      if (character === '}') depth -= 1;
      position += 1;
    }
  }
  return out.join('');
}

/** The last few characters of code before a position, without the space in between. */
function before(masked: readonly string[], position: number): string {
  return masked
    .slice(Math.max(0, position - 200), position)
    .join('')
    .trimEnd()
    .slice(-12);
}

export function lineAt(source: string, position: number): number {
  return source.slice(0, position).split('\n').length;
}

/** Every module that a source imports or re-exports: static, type-only, bare, dynamic. */
export function importedModules(source: string, masked: string): readonly ImportedModule[] {
  const found: ImportedModule[] = [];
  for (const match of masked.matchAll(/\bfrom\s*(['"])|\b(?:import|require)\s*\(?\s*(['"`])/g)) {
    const open = match.index + match[0].length - 1;
    const quote = source[open] ?? '';
    const close = source.indexOf(quote, open + 1);
    if (close > open) found.push({ specifier: source.slice(open + 1, close), line: lineAt(source, open) });
  }
  return found;
}
