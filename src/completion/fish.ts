/** Completion for fish, with what each command and option does. */
import { everyCommand, identifier, optionValues, written, type OptionValue } from './dialect.js';
import type { OfferedCommand, OfferedOption, Tree } from './tree.js';

/** Between single quotes of fish, where a backslash counts. */
function quoted(text: string): string {
  return `'${text
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")}'`;
}

/** Prints names and, behind a tabulator, what they are. */
function printed(rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return '';
  return ` printf '%s\\t%s\\n' ${rows.flatMap((row) => row.map(quoted)).join(' ')}`;
}

const optionRows = (options: readonly OfferedOption[]): string =>
  printed(options.flatMap(({ spellings, what }) => spellings.map((spelling) => [spelling, what] as const)));

const commandRows = (commands: readonly OfferedCommand[]): string =>
  printed(commands.map(({ name, what }) => [name, what]));

export function fishScript(tree: Tree): string {
  const program = tree.root.name;
  const name = `__${identifier(program)}`;
  const all = everyCommand(tree);
  const cases = (line: (command: OfferedCommand) => string): string =>
    all.map(({ at, command }) => `        case ${quoted(at)};${line(command)}`).join('\n');
  return `# Completion of ${program} for fish (3.1 or later). Made of its commands: ${program} completion fish
# Nothing is started by it.

# The commands that may stand behind the commands $at.
function ${name}_verbs --argument-names at
    switch $at
${cases(({ commands }) => commandRows(commands))}
    end
end

function ${name}_options --argument-names at
    switch $at
${cases(({ options }) => optionRows(options))}
    end
   ${optionRows(tree.everywhere) || ' return 0'}
end

# What stands behind the commands $at as their arguments, one a line.
function ${name}_arguments --argument-names at
    switch $at
${cases(({ values }) => (values.length === 0 ? '' : ` printf '%s\\n' ${values.map((value) => quoted(written(value))).join(' ')}`))}
    end
end

# What an option takes behind the commands $at; nothing: nothing is printed.
function ${name}_value --argument-names at option
    switch "$at $option"
${optionValues(tree).map(branch).join('\n')}
    end
end

${walk(name)}
complete -c ${program} -f
complete -c ${program} -n '${name}_next | string match -q :file' -F
complete -c ${program} -n '${name}_next | string match -q :folder' -a '(__fish_complete_directories)'
complete -c ${program} -a '(${name}_next | string match -v ":*")'
`;
}

function branch({ at, spelling, value }: OptionValue): string {
  const pattern = at === undefined ? `* ${spelling}` : `${at} ${spelling}`;
  return `        case ${quoted(pattern)}; echo ${quoted(value)}`;
}

const walk = (name: string): string => `# What may come next: a line for each, or :file, :folder, :anything.
function ${name}_next
    set -l words (commandline -opc)
    set -e words[1]
    set -l word (commandline -ct)
    set -l at ''
    set -l value ''
    set -l only ''
    set -l head ''
    set -l seen 1
    for each in $words
        if string match -q -- '+*' "$value"; and string match -q -- '-*' "$each"
            set value ''
        end
        if test -n "$value"
            set value ''
        else if test -n "$only"
            set seen (math $seen + 1)
        else if test "$each" = --
            set only 1
        else if string match -q -- '-*=*' "$each"
            set value ''
        else if string match -qr -- '^-.' "$each"
            set value (${name}_value "$at" "$each")
        else if contains -- "$each" (${name}_verbs "$at" | string replace -r '\\t.*' '')
            set at (string trim -- "$at $each")
            set seen 1
        else
            set seen (math $seen + 1)
        end
    end
    if string match -q -- '+*' "$value"
        if test "$value" = +:anything; or string match -q -- '-*' "$word"
            set value ''
        end
    end
    if test -z "$value"
        if test -z "$only"; and string match -q -- '-*=*' "$word"
            set head (string replace -r '=.*' '=' -- "$word")
            set value (${name}_value "$at" (string replace -r '=.*' '' -- "$word"))
            test -n "$value"; or set value :anything
        else if test -z "$only"; and string match -q -- '-*' "$word"
            ${name}_options "$at"
            return
        else
            set -l verbs (${name}_verbs "$at")
            if set -q verbs[1]
                printf '%s\\n' $verbs
                return
            end
            set -l takes (${name}_arguments "$at")
            set value $takes[$seen]
        end
    end
    set value (string replace -r '^\\+' '' -- "$value")
    if string match -q -- ':*' "$value"
        echo $value
    else if test -n "$value"
        printf '%s\\n' "$head"(string split ' ' -- "$value")
    end
end
`;
