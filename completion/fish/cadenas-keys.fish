# Completion of cadenas-keys for fish (3.1 or later). Made of its commands: cadenas-keys completion fish
# Nothing is started by it.

# The commands that may stand behind the commands $at.
function __cadenas_keys_verbs --argument-names at
    switch $at
        case ''; printf '%s\t%s\n' 'build' 'Makes a new network\'s keys in KEYS/NAME (0700, files 0600)' 'rotate' 'Makes the next generation of a network’s keys and its certificate, in KEYS/NAME/next' 'retire' 'Drops the current generation of keys, and makes the next one current' 'bundle' 'Writes a client of a network into one file that runs with Node alone, to be handed out' 'link' 'Writes the same file as DIR/cadenas.mjs, with README.txt, and linked.json for a client in another language' 'completion' 'prints a script by which a shell completes what is typed'
        case 'build';
        case 'rotate';
        case 'retire';
        case 'bundle';
        case 'link';
        case 'completion';
    end
end

function __cadenas_keys_options --argument-names at
    switch $at
        case ''; printf '%s\t%s\n' '--version' 'output the version number' '-V' 'output the version number' '--help' 'display help for command' '-h' 'display help for command'
        case 'build'; printf '%s\t%s\n' '--network' 'its name: a–z, 0–9 and -, at most 32, the first a letter' '--keys' 'folder of the keys; each network has its own folder in it' '--host' 'DNS name or IP address for the TLS certificate besides localhost; may be repeated' '--secrets' 'secrets.json of a backup: its accounts can log in again, with clients linked anew' '--help' 'display help for command' '-h' 'display help for command'
        case 'rotate'; printf '%s\t%s\n' '--network' 'a network that was built' '--keys' 'folder of the keys; each network has its own folder in it' '--host' 'DNS name or IP address for the TLS certificate besides those of the current one; may be repeated' '--help' 'display help for command' '-h' 'display help for command'
        case 'retire'; printf '%s\t%s\n' '--network' 'a network whose keys were rotated' '--keys' 'folder of the keys; each network has its own folder in it' '--yes' 'does not ask' '--help' 'display help for command' '-h' 'display help for command'
        case 'bundle'; printf '%s\t%s\n' '--network' 'a network that was built' '--server' 'where the daemon is, for everybody who runs it without --server' '--out' 'where it goes, its name ending in .mjs' '--keys' 'folder of the keys; each network has its own folder in it' '--help' 'display help for command' '-h' 'display help for command'
        case 'link'; printf '%s\t%s\n' '--network' 'a network that was built' '--server' 'where the daemon is, for everybody who runs it without --server' '--out' 'where the client goes; made where it is missing' '--keys' 'folder of the keys; each network has its own folder in it' '--help' 'display help for command' '-h' 'display help for command'
        case 'completion'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
    end
    return 0
end

# What stands behind the commands $at as their arguments, one a line.
function __cadenas_keys_arguments --argument-names at
    switch $at
        case '';
        case 'build';
        case 'rotate';
        case 'retire';
        case 'bundle';
        case 'link';
        case 'completion'; printf '%s\n' 'bash zsh fish'
    end
end

# What an option takes behind the commands $at; nothing: nothing is printed.
function __cadenas_keys_value --argument-names at option
    switch "$at $option"
        case 'build --network'; echo ':anything'
        case 'build --keys'; echo ':folder'
        case 'build --host'; echo ':anything'
        case 'build --secrets'; echo ':file'
        case 'rotate --network'; echo ':anything'
        case 'rotate --keys'; echo ':folder'
        case 'rotate --host'; echo ':anything'
        case 'retire --network'; echo ':anything'
        case 'retire --keys'; echo ':folder'
        case 'bundle --network'; echo ':anything'
        case 'bundle --server'; echo ':anything'
        case 'bundle --out'; echo ':file'
        case 'bundle --keys'; echo ':folder'
        case 'link --network'; echo ':anything'
        case 'link --server'; echo ':anything'
        case 'link --out'; echo ':folder'
        case 'link --keys'; echo ':folder'
    end
end

# What may come next: a line for each, or :file, :folder, :anything.
function __cadenas_keys_next
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
            set value (__cadenas_keys_value "$at" "$each")
        else if contains -- "$each" (__cadenas_keys_verbs "$at" | string replace -r '\t.*' '')
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
            set value (__cadenas_keys_value "$at" (string replace -r '=.*' '' -- "$word"))
            test -n "$value"; or set value :anything
        else if test -z "$only"; and string match -q -- '-*' "$word"
            __cadenas_keys_options "$at"
            return
        else
            set -l verbs (__cadenas_keys_verbs "$at")
            if set -q verbs[1]
                printf '%s\n' $verbs
                return
            end
            set -l takes (__cadenas_keys_arguments "$at")
            set value $takes[$seen]
        end
    end
    set value (string replace -r '^\+' '' -- "$value")
    if string match -q -- ':*' "$value"
        echo $value
    else if test -n "$value"
        printf '%s\n' "$head"(string split ' ' -- "$value")
    end
end

complete -c cadenas-keys -f
complete -c cadenas-keys -n '__cadenas_keys_next | string match -q :file' -F
complete -c cadenas-keys -n '__cadenas_keys_next | string match -q :folder' -a '(__fish_complete_directories)'
complete -c cadenas-keys -a '(__cadenas_keys_next | string match -v ":*")'
