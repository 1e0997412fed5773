/** Markup that is known to be safe to send as it is. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | Html | readonly Html[] | undefined;

/** A template whose values are escaped, except for markup made by this very function. Undefined leaves nothing. */
export function html(literals: TemplateStringsArray, ...values: readonly Part[]): Html {
  let text = literals[0] ?? '';
  for (const [index, value] of values.entries()) text += render(value) + (literals[index + 1] ?? '');
  return new Html(text);
}

function render(value: Part): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return escapeHtml(value);
  return value.map((part) => part.text).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
