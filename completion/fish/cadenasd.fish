# Completion of cadenasd for fish (3.1 or later). Made of its commands: cadenasd completion fish
# Nothing is started by it.

# The commands that may stand behind the commands $at.
function __cadenasd_verbs --argument-names at
    switch $at
        case ''; printf '%s\t%s\n' 'check' 'looks at everything that the store keeps; the daemon may run' 'backup' 'copies the store, while the daemon runs or not' 'restore' 'puts a backup in the place of a store; the daemon must not run' 'export' 'prints all that is kept about a user; the daemon may run' 'audit' 'prints unauthorised attempts, of one user or of all; the daemon may run' 'delete' 'deletes an account and all that is kept for it; the daemon must not run' 'repair' 'puts what is sound of a damaged store in its place; the daemon must not run' 'invite' 'draws codes that let somebody in to register; without a daemon it needs the keys' 'status' 'how a daemon that runs is; --watch goes on' 'health' 'whether it is well, for probes: exit code 0 or 1' 'user' 'about a user of a daemon that runs' 'room' 'about a room of a daemon that runs' 'limits' 'limits of a daemon that runs, or sets one until it ends or reloads' 'drain' 'lets nobody new in, waits until all have left, and stops the daemon' 'reload' 'has the daemon read its configuration anew' 'debug' 'has the daemon log more, or not' 'config' 'shows the settings that hold, checks them, or prints all defaults' 'install-service' 'writes the units of systemd, for this Node and this program, and makes their user' 'uninstall-service' 'stops the service and removes its units; data, keys and configuration are left' 'completion' 'prints a script by which a shell completes what is typed'
        case 'check';
        case 'backup';
        case 'restore';
        case 'export';
        case 'audit';
        case 'delete';
        case 'repair';
        case 'invite';
        case 'status';
        case 'health';
        case 'user'; printf '%s\t%s\n' 'list' 'accounts of a daemon that runs' 'show' 'one of them' 'disable' 'nobody logs in as them any more; all stays' 'enable' 'they can log in again' 'delete' 'deletes an account of a daemon that runs, as its owner could'
        case 'user list';
        case 'user show';
        case 'user disable';
        case 'user enable';
        case 'user delete';
        case 'room'; printf '%s\t%s\n' 'list' 'rooms of a daemon that runs' 'delete' 'deletes one of them, as its owner could'
        case 'room list';
        case 'room delete';
        case 'limits';
        case 'drain';
        case 'reload';
        case 'debug';
        case 'config';
        case 'install-service';
        case 'uninstall-service';
        case 'completion';
    end
end

function __cadenasd_options --argument-names at
    switch $at
        case ''; printf '%s\t%s\n' '--version' 'output the version number' '-V' 'output the version number' '--network' 'the network to serve' '--listen' 'where to listen; port 0 takes a free one' '--data' 'folder of the data; the network has its own folder in it' '--keys' 'folder of the keys; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--lobby' 'offer this room to everybody: you can read what is said in it' '--blocklist' 'refuse these keys: file with SHA-256 of SubjectPublicKeyInfo (DER), one in a line' '--disable-ssl' 'plain TCP: no TLS around the frames, which stay encrypted' '--cert-path' 'PEM certificate for TLS instead of the network’s own' '--key-path' 'PEM private key of that certificate' '--generate-default-cert' 'make the network’s TLS certificate if it has none; clients must be linked again' '--min-build' 'oldest build of clients that is served, as cadenas --version shows it' '--accept-software' 'serve clients of this software id too; may be repeated' '--accept-table' 'serve clients of this older opcode table too; may be repeated' '--debug' 'log more' '--log-level' 'the least that is logged' '--log-format' 'lines for people, or one JSON object a line' '--log-addresses' 'addresses of people in log and audit: whole, their network alone (/24, /48), or not at all' '--metrics' 'where Prometheus reads figures' '--limit' 'change a limit; may be repeated' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--help' 'display help for command' '-h' 'display help for command'
        case 'check'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--help' 'display help for command' '-h' 'display help for command'
        case 'backup'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--keys' 'folder of the keys; the network has its own folder in it' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--without-secrets' 'leaves the OPAQUE setup and the decoy secret out' '--help' 'display help for command' '-h' 'display help for command'
        case 'restore'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--keys' 'folder of the keys; the network has its own folder in it' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--replace' 'moves a store that is there aside' '--help' 'display help for command' '-h' 'display help for command'
        case 'export'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--keys' 'folder of the keys; the network has its own folder in it' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--out' 'a new file that is open to you alone, instead of standard output' '--help' 'display help for command' '-h' 'display help for command'
        case 'audit'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--keys' 'folder of the keys; the network has its own folder in it' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--since' 'later ones alone: 30m, 12h, 7d, or a time as 2026-01-31T18:00 (UTC)' '--help' 'display help for command' '-h' 'display help for command'
        case 'delete'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--yes' 'does not ask' '--help' 'display help for command' '-h' 'display help for command'
        case 'repair'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--yes' 'does not ask' '--dry-run' 'says what would be done, and does nothing' '--help' 'display help for command' '-h' 'display help for command'
        case 'invite'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--keys' 'folder of the keys; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--expires' 'how long they count, as 12h or 7d' '--count' 'how many' '--help' 'display help for command' '-h' 'display help for command'
        case 'status'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--watch' 'again and again, a live screen on a terminal' '--help' 'display help for command' '-h' 'display help for command'
        case 'health'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--help' 'display help for command' '-h' 'display help for command'
        case 'user'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'user list'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--help' 'display help for command' '-h' 'display help for command'
        case 'user show'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--help' 'display help for command' '-h' 'display help for command'
        case 'user disable'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--help' 'display help for command' '-h' 'display help for command'
        case 'user enable'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--help' 'display help for command' '-h' 'display help for command'
        case 'user delete'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--yes' 'does not ask' '--help' 'display help for command' '-h' 'display help for command'
        case 'room'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room list'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--help' 'display help for command' '-h' 'display help for command'
        case 'room delete'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--yes' 'does not ask' '--help' 'display help for command' '-h' 'display help for command'
        case 'limits'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--help' 'display help for command' '-h' 'display help for command'
        case 'drain'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--within' 'how long those who are connected have' '--help' 'display help for command' '-h' 'display help for command'
        case 'reload'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--help' 'display help for command' '-h' 'display help for command'
        case 'debug'; printf '%s\t%s\n' '--network' 'the network to serve' '--data' 'folder of the data; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--json' 'one JSON object a line' '--help' 'display help for command' '-h' 'display help for command'
        case 'config'; printf '%s\t%s\n' '--network' 'the network to serve' '--listen' 'where to listen; port 0 takes a free one' '--data' 'folder of the data; the network has its own folder in it' '--keys' 'folder of the keys; the network has its own folder in it' '--control' 'Unix socket of the operator’s commands, 0600' '--lobby' 'offer this room to everybody: you can read what is said in it' '--blocklist' 'refuse these keys: file with SHA-256 of SubjectPublicKeyInfo (DER), one in a line' '--disable-ssl' 'plain TCP: no TLS around the frames, which stay encrypted' '--cert-path' 'PEM certificate for TLS instead of the network’s own' '--key-path' 'PEM private key of that certificate' '--generate-default-cert' 'make the network’s TLS certificate if it has none; clients must be linked again' '--min-build' 'oldest build of clients that is served, as cadenas --version shows it' '--accept-software' 'serve clients of this software id too; may be repeated' '--accept-table' 'serve clients of this older opcode table too; may be repeated' '--debug' 'log more' '--log-level' 'the least that is logged' '--log-format' 'lines for people, or one JSON object a line' '--log-addresses' 'addresses of people in log and audit: whole, their network alone (/24, /48), or not at all' '--metrics' 'where Prometheus reads figures' '--limit' 'change a limit; may be repeated' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--check' 'says whether they can be used, and the files that they name' '--print-default' 'prints a file with every setting, its meaning, range and default' '--json' 'one JSON object a line' '--help' 'display help for command' '-h' 'display help for command'
        case 'install-service'; printf '%s\t%s\n' '--dry-run' 'says what would be done, and does nothing' '--root' 'the root of another system, which does not run: an image' '--help' 'display help for command' '-h' 'display help for command'
        case 'uninstall-service'; printf '%s\t%s\n' '--dry-run' 'says what would be done, and does nothing' '--root' 'the root of another system, which does not run: an image' '--help' 'display help for command' '-h' 'display help for command'
        case 'completion'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
    end
    return 0
end

# What stands behind the commands $at as their arguments, one a line.
function __cadenasd_arguments --argument-names at
    switch $at
        case '';
        case 'check';
        case 'backup'; printf '%s\n' ':folder'
        case 'restore'; printf '%s\n' ':folder'
        case 'export'; printf '%s\n' ':anything'
        case 'audit'; printf '%s\n' '+:anything'
        case 'delete'; printf '%s\n' ':anything'
        case 'repair';
        case 'invite';
        case 'status';
        case 'health';
        case 'user';
        case 'user list';
        case 'user show'; printf '%s\n' ':anything'
        case 'user disable'; printf '%s\n' ':anything'
        case 'user enable'; printf '%s\n' ':anything'
        case 'user delete'; printf '%s\n' ':anything'
        case 'room';
        case 'room list';
        case 'room delete'; printf '%s\n' ':anything'
        case 'limits'; printf '%s\n' '+connections= connections-per-source= connections-per-second= connection-burst= hello-seconds= login-seconds= handshakes= handshakes-per-source= logins= logins-per-source= registrations-per-hour= key-changes-per-day= mails-per-hour= mails-per-hour-per-source= mails-per-hour-to-one= logins-per-minute= source-logins-per-minute= failures-per-quarter= lookups-per-minute= source-lookups-per-minute= messages-per-second= message-burst= commands-per-second= command-burst= epoch-frames= window= flights= queue-entries= queue-bytes= journal-bytes= accounts= rooms= rooms-per-user= room-members= room-failures-per-quarter='
        case 'drain';
        case 'reload';
        case 'debug'; printf '%s\n' 'on off'
        case 'config';
        case 'install-service';
        case 'uninstall-service';
        case 'completion'; printf '%s\n' 'bash zsh fish'
    end
end

# What an option takes behind the commands $at; nothing: nothing is printed.
function __cadenasd_value --argument-names at option
    switch "$at $option"
        case ' --network'; echo ':anything'
        case ' --listen'; echo ':anything'
        case ' --data'; echo ':folder'
        case ' --keys'; echo ':folder'
        case ' --control'; echo ':file'
        case ' --lobby'; echo ':anything'
        case ' --blocklist'; echo ':file'
        case ' --cert-path'; echo ':file'
        case ' --key-path'; echo ':file'
        case ' --min-build'; echo ':anything'
        case ' --accept-software'; echo ':anything'
        case ' --accept-table'; echo ':anything'
        case ' --log-level'; echo 'debug info warn error'
        case ' --log-format'; echo 'text json'
        case ' --log-addresses'; echo 'full short none'
        case ' --metrics'; echo ':anything'
        case ' --limit'; echo 'connections= connections-per-source= connections-per-second= connection-burst= hello-seconds= login-seconds= handshakes= handshakes-per-source= logins= logins-per-source= registrations-per-hour= key-changes-per-day= mails-per-hour= mails-per-hour-per-source= mails-per-hour-to-one= logins-per-minute= source-logins-per-minute= failures-per-quarter= lookups-per-minute= source-lookups-per-minute= messages-per-second= message-burst= commands-per-second= command-burst= epoch-frames= window= flights= queue-entries= queue-bytes= journal-bytes= accounts= rooms= rooms-per-user= room-members= room-failures-per-quarter='
        case ' --config'; echo ':file'
        case 'check --network'; echo ':anything'
        case 'check --data'; echo ':folder'
        case 'check --config'; echo ':file'
        case 'backup --network'; echo ':anything'
        case 'backup --data'; echo ':folder'
        case 'backup --keys'; echo ':folder'
        case 'backup --config'; echo ':file'
        case 'restore --network'; echo ':anything'
        case 'restore --data'; echo ':folder'
        case 'restore --keys'; echo ':folder'
        case 'restore --config'; echo ':file'
        case 'export --network'; echo ':anything'
        case 'export --data'; echo ':folder'
        case 'export --keys'; echo ':folder'
        case 'export --config'; echo ':file'
        case 'export --out'; echo ':file'
        case 'audit --network'; echo ':anything'
        case 'audit --data'; echo ':folder'
        case 'audit --keys'; echo ':folder'
        case 'audit --config'; echo ':file'
        case 'audit --since'; echo ':anything'
        case 'delete --network'; echo ':anything'
        case 'delete --data'; echo ':folder'
        case 'delete --config'; echo ':file'
        case 'repair --network'; echo ':anything'
        case 'repair --data'; echo ':folder'
        case 'repair --config'; echo ':file'
        case 'invite --network'; echo ':anything'
        case 'invite --data'; echo ':folder'
        case 'invite --keys'; echo ':folder'
        case 'invite --control'; echo ':file'
        case 'invite --config'; echo ':file'
        case 'invite --expires'; echo ':anything'
        case 'invite --count'; echo ':anything'
        case 'status --network'; echo ':anything'
        case 'status --data'; echo ':folder'
        case 'status --control'; echo ':file'
        case 'status --config'; echo ':file'
        case 'status --watch'; echo '+:anything'
        case 'health --network'; echo ':anything'
        case 'health --data'; echo ':folder'
        case 'health --control'; echo ':file'
        case 'health --config'; echo ':file'
        case 'user list --network'; echo ':anything'
        case 'user list --data'; echo ':folder'
        case 'user list --control'; echo ':file'
        case 'user list --config'; echo ':file'
        case 'user show --network'; echo ':anything'
        case 'user show --data'; echo ':folder'
        case 'user show --control'; echo ':file'
        case 'user show --config'; echo ':file'
        case 'user disable --network'; echo ':anything'
        case 'user disable --data'; echo ':folder'
        case 'user disable --control'; echo ':file'
        case 'user disable --config'; echo ':file'
        case 'user enable --network'; echo ':anything'
        case 'user enable --data'; echo ':folder'
        case 'user enable --control'; echo ':file'
        case 'user enable --config'; echo ':file'
        case 'user delete --network'; echo ':anything'
        case 'user delete --data'; echo ':folder'
        case 'user delete --control'; echo ':file'
        case 'user delete --config'; echo ':file'
        case 'room list --network'; echo ':anything'
        case 'room list --data'; echo ':folder'
        case 'room list --control'; echo ':file'
        case 'room list --config'; echo ':file'
        case 'room delete --network'; echo ':anything'
        case 'room delete --data'; echo ':folder'
        case 'room delete --control'; echo ':file'
        case 'room delete --config'; echo ':file'
        case 'limits --network'; echo ':anything'
        case 'limits --data'; echo ':folder'
        case 'limits --control'; echo ':file'
        case 'limits --config'; echo ':file'
        case 'drain --network'; echo ':anything'
        case 'drain --data'; echo ':folder'
        case 'drain --control'; echo ':file'
        case 'drain --config'; echo ':file'
        case 'drain --within'; echo ':anything'
        case 'reload --network'; echo ':anything'
        case 'reload --data'; echo ':folder'
        case 'reload --control'; echo ':file'
        case 'reload --config'; echo ':file'
        case 'debug --network'; echo ':anything'
        case 'debug --data'; echo ':folder'
        case 'debug --control'; echo ':file'
        case 'debug --config'; echo ':file'
        case 'config --network'; echo ':anything'
        case 'config --listen'; echo ':anything'
        case 'config --data'; echo ':folder'
        case 'config --keys'; echo ':folder'
        case 'config --control'; echo ':file'
        case 'config --lobby'; echo ':anything'
        case 'config --blocklist'; echo ':file'
        case 'config --cert-path'; echo ':file'
        case 'config --key-path'; echo ':file'
        case 'config --min-build'; echo ':anything'
        case 'config --accept-software'; echo ':anything'
        case 'config --accept-table'; echo ':anything'
        case 'config --log-level'; echo 'debug info warn error'
        case 'config --log-format'; echo 'text json'
        case 'config --log-addresses'; echo 'full short none'
        case 'config --metrics'; echo ':anything'
        case 'config --limit'; echo 'connections= connections-per-source= connections-per-second= connection-burst= hello-seconds= login-seconds= handshakes= handshakes-per-source= logins= logins-per-source= registrations-per-hour= key-changes-per-day= mails-per-hour= mails-per-hour-per-source= mails-per-hour-to-one= logins-per-minute= source-logins-per-minute= failures-per-quarter= lookups-per-minute= source-lookups-per-minute= messages-per-second= message-burst= commands-per-second= command-burst= epoch-frames= window= flights= queue-entries= queue-bytes= journal-bytes= accounts= rooms= rooms-per-user= room-members= room-failures-per-quarter='
        case 'config --config'; echo ':file'
        case 'install-service --root'; echo ':folder'
        case 'uninstall-service --root'; echo ':folder'
    end
end

# What may come next: a line for each, or :file, :folder, :anything.
function __cadenasd_next
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
            set value (__cadenasd_value "$at" "$each")
        else if contains -- "$each" (__cadenasd_verbs "$at" | string replace -r '\t.*' '')
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
            set value (__cadenasd_value "$at" (string replace -r '=.*' '' -- "$word"))
            test -n "$value"; or set value :anything
        else if test -z "$only"; and string match -q -- '-*' "$word"
            __cadenasd_options "$at"
            return
        else
            set -l verbs (__cadenasd_verbs "$at")
            if set -q verbs[1]
                printf '%s\n' $verbs
                return
            end
            set -l takes (__cadenasd_arguments "$at")
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

complete -c cadenasd -f
complete -c cadenasd -n '__cadenasd_next | string match -q :file' -F
complete -c cadenasd -n '__cadenasd_next | string match -q :folder' -a '(__fish_complete_directories)'
complete -c cadenasd -a '(__cadenasd_next | string match -v ":*")'
