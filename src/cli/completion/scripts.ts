/**
 * The scripts with which shells complete command lines. Bash, zsh and fish ask this program; the ksh
 * of OpenBSD can only be given lists: ksh(1), "custom completions".
 *
 * @module
 */

import type { Command } from "../command.ts";
import { GLOBAL_FLAGS, TOP_FLAGS } from "../help.ts";

/** Shells that have a script. */
export const SHELLS = ["bash", "zsh", "fish", "ksh"] as const;

/** One of {@linkcode SHELLS}. */
export type ShellName = (typeof SHELLS)[number];

/** Returns the script for a shell. */
export function completionScript(shell: ShellName, commands: readonly Command[]): string {
  return shell === "ksh" ? kshScript(commands) : SCRIPTS[shell];
}

const SCRIPTS: Readonly<Record<Exclude<ShellName, "ksh">, string>> = {
  bash: `# Completes aggvpn in bash: source <(aggvpn completions bash)
_aggvpn() {
  local line value typed=\${COMP_LINE:0:COMP_POINT} words=() last IFS=$' \\t\\n'
  read -ra words <<<"$typed"
  [[ $typed == *[[:space:]] ]] && words+=("")
  last=\${words[\${#words[@]} - 1]}
  COMPREPLY=()
  while IFS= read -r line; do
    value=\${line%%$'\\t'*}
    if [[ $value == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do
        COMPREPLY+=("$value")
      done < <(compgen -f -- "\${last#--*=}")
      continue
    fi
    [[ $value == *= ]] && compopt -o nospace 2>/dev/null
    # Readline replaces only what is behind the "=".
    [[ $last == --*=* && $COMP_WORDBREAKS == *=* ]] && value=\${value#*=}
    COMPREPLY+=("$value")
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
}
complete -F _aggvpn aggvpn
`,
  zsh: `#compdef aggvpn
# Completes aggvpn in zsh: a file _aggvpn in a directory of fpath, or, after compinit,
#     source <(aggvpn completions zsh)
_aggvpn() {
  local line value doc files=0
  local -a plain open
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
      continue
    fi
    value=\${line%%$'\\t'*}
    doc=\${line#*$'\\t'}
    if [[ $value == *= ]]; then
      open+=("\${value//:/\\\\:}:$doc")
    else
      plain+=("\${value//:/\\\\:}:$doc")
    fi
  done < <("\${(Q)words[1]}" __complete "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)
  local result=1
  (( $#plain )) && _describe aggvpn plain && result=0
  (( $#open )) && _describe aggvpn open -S '' && result=0
  if (( files )); then
    [[ $PREFIX == --*=* ]] && compset -P '--*='
    _files && result=0
  fi
  return result
}
if [[ $funcstack[1] == _aggvpn ]]; then
  _aggvpn "$@"
else
  compdef _aggvpn aggvpn
fi
`,
  fish: `# Completes aggvpn in fish: aggvpn completions fish | source
function __aggvpn_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    test (count $typed) -eq 0; and set typed ''
    for line in ($words[1] __complete $words[2..-1] $typed 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (string replace -r -- '^--[^=]*=' '' $typed)
        else
            echo $line
        end
    end
end
complete -c aggvpn -f -a '(__aggvpn_complete)'
`,
};

/** Without a match in the lists ksh completes names of files. */
function kshScript(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const flags = Object.keys(
    Object.assign({}, ...commands.map((command) => command.flags), GLOBAL_FLAGS),
  );
  const words = commands.flatMap(({ operands }) => operands.match(/(?<![\w-])[a-z][\w-]*/g) ?? []);
  const topFlags = Object.keys(TOP_FLAGS);
  const list = (...items: readonly string[]): string => [...new Set(items)].join(" ");
  const asFlags = (items: readonly string[]): string[] => items.map((item) => `--${item}`);
  return `# Completes aggvpn in the ksh of OpenBSD: put this into the file that ENV names
set -A complete_aggvpn_1 -- ${list(...names, ...asFlags(topFlags))}
set -A complete_aggvpn_2 -- ${list(...names, ...words, ...asFlags(flags))}
set -A complete_aggvpn -- ${list(...words, ...asFlags(flags))}
`;
}
