import type { OptionSpec } from '../command.ts';
import { type CompletionNode, takesFile } from './tree.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The script that teaches a shell to complete `cortex`; it needs nothing but the shell. */
export function completionScript(shell: Shell, tree: readonly CompletionNode[]): string {
  switch (shell) {
    case 'bash':
      return bash(tree);
    case 'zsh':
      return zsh(tree);
    case 'fish':
      return fish(tree);
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const paths = (tree: readonly CompletionNode[]) => tree.map(({ path }) => path).filter((path) => path !== '');
const flag = ({ name }: OptionSpec) => `--${name}`;
const wordsOf = ({ children, options }: CompletionNode) =>
  [...children.keys(), ...options.map(flag)].join(' ');

/** Arms of a shell's `case` over `path:previous word`: the values that an option takes. */
function valueArms(tree: readonly CompletionNode[], file: string, words: (list: string) => string): string {
  const arms = tree.flatMap(({ path, options }) =>
    options
      .filter((option) => option.choices !== undefined || takesFile(option))
      .map((option) => {
        const what = option.choices === undefined ? file : words(option.choices.join(' '));
        return `    ${quoted(`${path}:${flag(option)}`)}) ${what} ;;`;
      }),
  );
  return arms.join('\n');
}

function bash(tree: readonly CompletionNode[]): string {
  const arms = tree.map((node) => `    ${quoted(node.path)}) words=${quoted(wordsOf(node))} ;;`);
  return `# Completion of cortex for bash: source <(cortex completion bash)
_cortex() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path= word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "|${paths(tree).join('|')}|" in
      *"|\${path:+$path }$word|"*) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path:$previous" in
${valueArms(tree, 'mapfile -t COMPREPLY < <(compgen -f -- "$current"); return', (list) => `mapfile -t COMPREPLY < <(compgen -W ${quoted(list)} -- "$current"); return`)}
  esac
  case "$path" in
${arms.join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o filenames -F _cortex cortex
`;
}

function zsh(tree: readonly CompletionNode[]): string {
  const described = (name: string, summary: string) => quoted(`${name.replaceAll(':', '\\:')}:${summary}`);
  const arms = tree.map(({ path, children, options }) => {
    const words = [...children].map(([name, summary]) => described(name, summary));
    const flags = options.map((option) => described(flag(option), option.summary));
    return `    ${quoted(path)}) entries=(${[...words, ...flags].join(' ')}) ;;`;
  });
  return `#compdef cortex
# Completion of cortex for zsh: source <(cortex completion zsh)
_cortex() {
  local way= word
  local -a entries
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "|${paths(tree).join('|')}|" in
      *"|\${way:+$way }$word|"*) way="\${way:+$way }$word" ;;
    esac
  done
  case "$way:\${words[CURRENT-1]}" in
${valueArms(tree, '_files; return', (list) => `compadd -- ${list}; return`)}
  esac
  case "$way" in
${arms.join('\n')}
  esac
  _describe -t commands cortex entries
}
compdef _cortex cortex
`;
}

function fish(tree: readonly CompletionNode[]): string {
  const lines = tree.flatMap(({ path, children, options }) => {
    const here = `complete -c cortex -n ${quoted(`test (__cortex_way) = "${path}"`)}`;
    return [
      ...[...children].map(([name, summary]) => `${here} -f -a ${name} -d ${quoted(summary)}`),
      ...options.map((option) => {
        const short = option.short === undefined ? '' : ` -s ${option.short}`;
        const choices = option.choices === undefined ? '' : ` -a ${quoted(option.choices.join(' '))}`;
        const value = option.value === undefined ? '' : takesFile(option) ? ' -r -F' : ` -x${choices}`;
        return `${here} -l ${option.name}${short}${value} -d ${quoted(option.summary)}`;
      }),
    ];
  });
  return `# Completion of cortex for fish: cortex completion fish | source
function __cortex_way
  set -l way ''
  for word in (commandline -opc)[2..]
    set -l next (string trim "$way $word")
    contains -- "$next" ${paths(tree).map(quoted).join(' ')}; and set way $next
  end
  echo $way
end
complete -c cortex -f
${lines.join('\n')}
`;
}
