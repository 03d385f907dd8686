/** Completion for bash, which has words alone and no descriptions. */
import { everyCommand, identifier, optionValues, quoted, written, type OptionValue } from './dialect.js';
import type { OfferedOption, Tree } from './tree.js';

const spelled = (options: readonly OfferedOption[]): string => options.flatMap(({ spellings }) => spellings).join(' ');

export function bashScript(tree: Tree): string {
  const program = tree.root.name;
  const name = `_${identifier(program)}`;
  return `# Completion of ${program} for bash (4.0 or later). Made of its commands: ${program} completion bash
# Nothing is started by it.

# What may stand behind the commands $1.
${name}_offer() {
  everywhere=${quoted(spelled(tree.everywhere))}
  case $1 in
${everyCommand(tree)
  .map(({ at, command: { commands, options, values } }) =>
    [
      `    ${quoted(at)})`,
      `verbs=${quoted(commands.map((one) => one.name).join(' '))}`,
      `options=${quoted(spelled(options))}`,
      `values=(${values.map((value) => quoted(written(value))).join(' ')}) ;;`,
    ].join(' '),
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
complete -F ${name} ${program}
`;
}

function branch({ at, spelling, value }: OptionValue): string {
  const pattern = at === undefined ? `*${quoted(` ${spelling}`)}` : quoted(`${at} ${spelling}`);
  return `    ${pattern}) value=${quoted(value)} ;;`;
}

/** bash cuts words at = : and @ too: they are put together again, and what stands before the last cut is not answered. */
const walk = (name: string): string => `${name}() {
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} words=() word i cut=''
  local at='' verbs options everywhere values value='' seen=0 only='' head='' each
  COMPREPLY=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((i == 0)) || [[ $line == [[:space:]]* ]]; then words+=(''); fi
    line=\${line#"\${line%%[![:space:]]*}"}
    if ((i == COMP_CWORD)); then word=$line; fi
    line=\${line#"$word"}
    cut=\${words[\${#words[@]} - 1]}
    words[\${#words[@]} - 1]+=$word
  done
  if [[ -z \${word//[=:@]/} ]]; then cut+=$word; fi

  ${name}_offer ''
  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    word=\${words[i]}
    if [[ $value == +* && $word == -* ]]; then value=''; fi
    if [[ -n $value ]]; then
      value=''
    elif [[ -n $only ]]; then
      seen=$((seen + 1))
    elif [[ $word == -- ]]; then
      only=1
    elif [[ $word == -*=* ]]; then
      value=''
    elif [[ $word == -?* ]]; then
      ${name}_value "$at" "$word"
    elif [[ " $verbs " == *" $word "* ]]; then
      at="\${at:+$at }$word" seen=0
      ${name}_offer "$at"
    else
      seen=$((seen + 1))
    fi
  done

  word=\${words[\${#words[@]} - 1]}
  if [[ $value == +* && ($value == +:anything || $word == -*) ]]; then value=''; fi
  if [[ -z $value ]]; then
    if [[ -z $only && $word == -*=* ]]; then
      head=\${word%%=*}=
      ${name}_value "$at" "\${word%%=*}"
      value=\${value:-:anything}
    elif [[ -z $only && $word == -* ]]; then
      value="$options $everywhere"
    elif [[ -n $verbs ]]; then
      value=$verbs
    else
      value=\${values[seen]:-}
      if [[ -z $value && -z $word && -z $only ]]; then value="$options $everywhere"; fi
    fi
  fi
  case \${value#+} in
    :file) compopt -o default ;;
    :folder) compopt -o dirnames ;;
    :anything) ;;
    *)
      for each in \${value#+}; do
        if [[ $head$each != "$word"* ]]; then continue; fi
        if [[ $each == *= ]]; then compopt -o nospace; fi
        each=$head$each
        COMPREPLY+=("\${each#"$cut"}")
      done
      ;;
  esac
}
`;
