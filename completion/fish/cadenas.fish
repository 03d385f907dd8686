# Completion of cadenas for fish (3.1 or later). Made of its commands: cadenas completion fish
# Nothing is started by it.

# The commands that may stand behind the commands $at.
function __cadenas_verbs --argument-names at
    switch $at
        case ''; printf '%s\t%s\n' 'chat' 'the terminal interface; the same without a command' 'register' 'make an account and this profile' 'login' 'log in, and stay so in the background until logout' 'logout' 'end the session' 'whoami' 'who this profile is' 'status' 'connection, unread and waiting messages' 'contacts' 'the contact book' 'add' 'ask somebody to talk' 'accept' 'accept who asked you' 'decline' 'decline who asked you' 'block' 'take nothing from somebody any more' 'verify' 'compare your keys with somebody’s by a safety number' 'send' 'send a text; - reads it from standard input' 'receive' 'print what is unread' 'history' 'both sides of a conversation, as far as it is kept' 'receipts' 'whether contacts are told what you have read' '2fa' 'a second factor: a code besides password and words' 'recovery' 'ten new recovery codes' 'sessions' 'sessions of your account' 'room' 'rooms: several people, one key' 'account' 'your account as a whole' 'password' 'your password' 'words' 'your three words' 'recover' 'an account whose keys are lost, by a recovery code and its password' 'config' 'the settings that hold, and where each was said' 'completion' 'prints a script by which a shell completes what is typed'
        case 'chat';
        case 'register';
        case 'login';
        case 'logout';
        case 'whoami';
        case 'status';
        case 'contacts';
        case 'add';
        case 'accept';
        case 'decline';
        case 'block';
        case 'verify';
        case 'send';
        case 'receive';
        case 'history';
        case 'receipts';
        case '2fa'; printf '%s\t%s\n' 'enable' 'turn it on: codes of an authenticator, or by mail' 'disable' 'turn it off' 'status' 'whether it is on, and how many recovery codes are left'
        case '2fa enable';
        case '2fa disable';
        case '2fa status';
        case 'recovery';
        case 'sessions'; printf '%s\t%s\n' 'list' 'which there are, and until when' 'revoke' 'end one: it has to log in with everything again' 'revoke-others' 'end all but this one'
        case 'sessions list';
        case 'sessions revoke';
        case 'sessions revoke-others';
        case 'room'; printf '%s\t%s\n' 'create' 'make a room, with a password or by invitation alone' 'join' 'enter a room, by its password or invited' 'decline' 'decline an invitation' 'invite' 'invite a contact' 'remove' 'remove a member; sets a new password' 'owner' 'hand the room over to a member' 'passwd' 'set a new password' 'leave' 'leave a room' 'delete' 'delete a room for everybody' 'send' 'send a text; - reads it from standard input' 'history' 'what was said, as far as it is kept' 'members' 'who is in a room' 'list' 'your rooms, invitations and what is offered'
        case 'room create';
        case 'room join';
        case 'room decline';
        case 'room invite';
        case 'room remove';
        case 'room owner';
        case 'room passwd';
        case 'room leave';
        case 'room delete';
        case 'room send';
        case 'room history';
        case 'room members';
        case 'room list';
        case 'account'; printf '%s\t%s\n' 'export' 'write it, sealed, to a new file for another device' 'import' 'take it from such a file into this profile, which is empty' 'renew-keys' 'new keys, signed with the present ones' 'delete' 'delete the account for good'
        case 'account export';
        case 'account import';
        case 'account renew-keys';
        case 'account delete';
        case 'password'; printf '%s\t%s\n' 'change' 'set another password'
        case 'password change';
        case 'words'; printf '%s\t%s\n' 'change' 'set other words, chosen or drawn'
        case 'words change';
        case 'recover';
        case 'config';
        case 'completion';
    end
end

function __cadenas_options --argument-names at
    switch $at
        case ''; printf '%s\t%s\n' '--json' 'one JSON object a line' '--server' 'the daemon' '--profile' 'which of your profiles' '--home' 'folder of the profiles' '--secrets-file' 'JSON with password and words, 0600' '--debug' 'log to stderr' '--disable-ssl' 'no TLS around the frames, which stay encrypted' '--allow-invalid-cert' 'accept any TLS certificate' '--plain' 'lines that are only added, in the place of a screen: for screen readers' '--no-color' 'without colours; so does NO_COLOR' '--theme' 'colours for a dark or a light ground' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--secrets-fd' 'the same as --secrets-file from an open descriptor' '--version' 'output the version number' '-V' 'output the version number' '--help' 'display help for command' '-h' 'display help for command'
        case 'chat'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'register'; printf '%s\t%s\n' '--2fa' 'turn on a second factor too' '--invitation' 'where the network asks for one' '--full-name' 'kept sealed by the daemon, shown to nobody else' '--email' 'the same; a code is sent there, to be typed here' '--help' 'display help for command' '-h' 'display help for command'
        case 'login'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'logout'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'whoami'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'status'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'contacts'; printf '%s\t%s\n' '--check' 'ask the daemon for everybody’s keys and compare' '--help' 'display help for command' '-h' 'display help for command'
        case 'add'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'accept'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'decline'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'block'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'verify'; printf '%s\t%s\n' '--confirm' 'you compared it, and it is the same' '--qr' 'show it as a QR code too' '--compare' 'compare it here with what their QR code says, or their digits' '--reject' 'the keys that came are not theirs: keep the former' '--help' 'display help for command' '-h' 'display help for command'
        case 'send'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'receive'; printf '%s\t%s\n' '--follow' 'go on printing what comes' '--timeout' 'end --follow after this long' '--help' 'display help for command' '-h' 'display help for command'
        case 'history'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'receipts'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case '2fa'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case '2fa enable'; printf '%s\t%s\n' '--email' 'codes by mail, to your address or to this one' '--help' 'display help for command' '-h' 'display help for command'
        case '2fa disable'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case '2fa status'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'recovery'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'sessions'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'sessions list'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'sessions revoke'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'sessions revoke-others'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room create'; printf '%s\t%s\n' '--invite-only' 'no password: who comes in is invited' '--help' 'display help for command' '-h' 'display help for command'
        case 'room join'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room decline'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room invite'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room remove'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room owner'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room passwd'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room leave'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room delete'; printf '%s\t%s\n' '--yes' 'do not ask' '--help' 'display help for command' '-h' 'display help for command'
        case 'room send'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room history'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room members'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'room list'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'account'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'account export'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'account import'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'account renew-keys'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'account delete'; printf '%s\t%s\n' '--yes' 'do not ask' '--help' 'display help for command' '-h' 'display help for command'
        case 'password'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'password change'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'words'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'words change'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'recover'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
        case 'config'; printf '%s\t%s\n' '--check' 'look whether they can be used' '--print-default' 'print a file of all defaults, with what each means' '--help' 'display help for command' '-h' 'display help for command'
        case 'completion'; printf '%s\t%s\n' '--help' 'display help for command' '-h' 'display help for command'
    end
    printf '%s\t%s\n' '--json' 'one JSON object a line' '--server' 'the daemon' '--profile' 'which of your profiles' '--home' 'folder of the profiles' '--secrets-file' 'JSON with password and words, 0600' '--debug' 'log to stderr' '--disable-ssl' 'no TLS around the frames, which stay encrypted' '--allow-invalid-cert' 'accept any TLS certificate' '--plain' 'lines that are only added, in the place of a screen: for screen readers' '--no-color' 'without colours; so does NO_COLOR' '--theme' 'colours for a dark or a light ground' '--config' 'TOML file of settings; an option of the line goes before it' '--no-config' 'reads no such file' '--secrets-fd' 'the same as --secrets-file from an open descriptor'
end

# What stands behind the commands $at as their arguments, one a line.
function __cadenas_arguments --argument-names at
    switch $at
        case '';
        case 'chat';
        case 'register'; printf '%s\n' ':anything'
        case 'login';
        case 'logout';
        case 'whoami';
        case 'status';
        case 'contacts';
        case 'add'; printf '%s\n' ':anything'
        case 'accept'; printf '%s\n' ':anything'
        case 'decline'; printf '%s\n' ':anything'
        case 'block'; printf '%s\n' ':anything'
        case 'verify'; printf '%s\n' ':anything'
        case 'send'; printf '%s\n' ':anything' ':anything'
        case 'receive';
        case 'history'; printf '%s\n' ':anything'
        case 'receipts'; printf '%s\n' '+on off'
        case '2fa';
        case '2fa enable';
        case '2fa disable';
        case '2fa status';
        case 'recovery';
        case 'sessions';
        case 'sessions list';
        case 'sessions revoke'; printf '%s\n' ':anything'
        case 'sessions revoke-others';
        case 'room';
        case 'room create'; printf '%s\n' ':anything'
        case 'room join'; printf '%s\n' ':anything'
        case 'room decline'; printf '%s\n' ':anything'
        case 'room invite'; printf '%s\n' ':anything' ':anything'
        case 'room remove'; printf '%s\n' ':anything' ':anything'
        case 'room owner'; printf '%s\n' ':anything' ':anything'
        case 'room passwd'; printf '%s\n' ':anything'
        case 'room leave'; printf '%s\n' ':anything'
        case 'room delete'; printf '%s\n' ':anything'
        case 'room send'; printf '%s\n' ':anything' ':anything'
        case 'room history'; printf '%s\n' ':anything'
        case 'room members'; printf '%s\n' ':anything'
        case 'room list';
        case 'account';
        case 'account export'; printf '%s\n' ':file'
        case 'account import'; printf '%s\n' ':file'
        case 'account renew-keys';
        case 'account delete';
        case 'password';
        case 'password change';
        case 'words';
        case 'words change';
        case 'recover'; printf '%s\n' ':anything'
        case 'config';
        case 'completion'; printf '%s\n' 'bash zsh fish'
    end
end

# What an option takes behind the commands $at; nothing: nothing is printed.
function __cadenas_value --argument-names at option
    switch "$at $option"
        case ' --server'; echo ':anything'
        case ' --profile'; echo ':anything'
        case ' --home'; echo ':folder'
        case ' --secrets-file'; echo ':file'
        case ' --theme'; echo 'auto dark light'
        case ' --config'; echo ':file'
        case ' --secrets-fd'; echo ':anything'
        case 'register --invitation'; echo ':anything'
        case 'register --full-name'; echo ':anything'
        case 'register --email'; echo ':anything'
        case 'verify --compare'; echo ':anything'
        case 'receive --timeout'; echo ':anything'
        case '2fa enable --email'; echo '+:anything'
        case '* --server'; echo ':anything'
        case '* --profile'; echo ':anything'
        case '* --home'; echo ':folder'
        case '* --secrets-file'; echo ':file'
        case '* --theme'; echo 'auto dark light'
        case '* --config'; echo ':file'
        case '* --secrets-fd'; echo ':anything'
    end
end

# What may come next: a line for each, or :file, :folder, :anything.
function __cadenas_next
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
            set value (__cadenas_value "$at" "$each")
        else if contains -- "$each" (__cadenas_verbs "$at" | string replace -r '\t.*' '')
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
            set value (__cadenas_value "$at" (string replace -r '=.*' '' -- "$word"))
            test -n "$value"; or set value :anything
        else if test -z "$only"; and string match -q -- '-*' "$word"
            __cadenas_options "$at"
            return
        else
            set -l verbs (__cadenas_verbs "$at")
            if set -q verbs[1]
                printf '%s\n' $verbs
                return
            end
            set -l takes (__cadenas_arguments "$at")
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

complete -c cadenas -f
complete -c cadenas -n '__cadenas_next | string match -q :file' -F
complete -c cadenas -n '__cadenas_next | string match -q :folder' -a '(__fish_complete_directories)'
complete -c cadenas -a '(__cadenas_next | string match -v ":*")'
