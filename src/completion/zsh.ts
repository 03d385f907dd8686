/** Completion for zsh, with what each command and option does. */
import { everyCommand, optionValues, quoted, written, type OptionValue } from './dialect.js';
import type { OfferedCommand, OfferedOption, Tree } from './tree.js';

/** As `_describe` takes it: a name, and behind a colon what it is. */
const row = (name: string, what: string): string => quoted(`${name}:${what.replaceAll('\\', '\\\\')}`);

const optionRows = (options: readonly OfferedOption[]): string =>
  options.flatMap(({ spellings, what }) => spellings.map((spelling) => row(spelling, what))).join(' ');

const commandRows = (commands: readonly OfferedCommand[]): string =>
  commands.map(({ name, what }) => row(name, what)).join(' ');

export function zshScript(tree: Tree): string {
  const program = tree.root.name;
  const name = `_${program}`;
  return `#compdef ${program}
# Completion of ${program} for zsh. Made of its commands: ${program} completion zsh
# Nothing is started by it.

# What may stand behind the commands $1.
${name}_offer() {
  everywhere=(${optionRows(tree.everywhere)})
  case $1 in
${everyCommand(tree)
  .map(({ at, command: { commands, options, values } }) =>
    [
      `    ${quoted(at)})`,
      `      verbs=(${commandRows(commands)})`,
      `      opts=(${optionRows(options)})`,
      `      takes=(${values.map((value) => quoted(written(value))).join(' ')}) ;;`,
    ].join('\n'),
  )
  .join('\n')}
  esac
}

# What the option $2 takes behind the commands $1; nothing: value is empty.
${name}_value() {
  case "$1 $2" in
${optionValues(tree).map(branch).join('\n')}
    *) value='' ;;
  esac
}

${walk(name)}
if [[ $funcstack[1] == ${name} ]]; then
  ${name} "$@"
else
  compdef ${name} ${program}
fi
`;
}

function branch({ at, spelling, value }: OptionValue): string {
  const pattern = at === undefined ? `*${quoted(` ${spelling}`)}` : quoted(`${at} ${spelling}`);
  return `    ${pattern}) value=${quoted(value)} ;;`;
}

const walk = (name: string): string => `${name}() {
  emulate -L zsh
  setopt extended_glob
  local at='' value='' only='' word i seen=1
  local -a verbs opts everywhere takes
  ${name}_offer ''
  for ((i = 2; i < CURRENT; i++)); do
    word=\${(Q)words[i]}
    if [[ $value == +* && $word == -* ]]; then value=''; fi
    if [[ -n $value ]]; then
      value=''
    elif [[ -n $only ]]; then
      ((seen++))
    elif [[ $word == -- ]]; then
      only=1
    elif [[ $word == -*=* ]]; then
      value=''
    elif [[ $word == -?* ]]; then
      ${name}_value "$at" "$word"
    elif ((\${verbs[(I)\${(b)word}:*]})); then
      at="\${at:+$at }$word" seen=1
      ${name}_offer "$at"
    else
      ((seen++))
    fi
  done

  word=\${(Q)PREFIX}
  if [[ $value == +* && ($value == +:anything || $word == -*) ]]; then value=''; fi
  if [[ -z $value ]]; then
    if [[ -z $only && $word == -*=* ]]; then
      ${name}_value "$at" "\${word%%=*}"
      value=\${value:-:anything}
      compset -P '*='
    elif [[ -z $only && $word == -* ]]; then
      opts+=($everywhere)
      _describe -o -t options option opts
      return
    elif ((\${#verbs})); then
      _describe -t commands command verbs
      return
    else
      value=\${takes[seen]:-}
      if [[ -z $value && -z $word && -z $only ]]; then
        opts+=($everywhere)
        _describe -o -t options option opts
        return
      fi
    fi
  fi
  case \${value#+} in
    :file) _files ;;
    :folder) _files -/ ;;
    (|:anything)) return 1 ;;
    *=) compadd -S '' -- \${=value#+} ;;
    *) compadd -- \${=value#+} ;;
  esac
}
`;
