/** Every way in which the client says no, in one place: code → exit, what happened, what to do. */
import { ConnectError, type ConnectFailure } from '../transport/transport.js';

/** Exit codes of the command line (docs/cli.md). */
export const Exit = { done: 0, mistake: 1, unexpected: 2, network: 3, trust: 4, limited: 5 } as const;
export type Exit = (typeof Exit)[keyof typeof Exit];

type Line = readonly [exit: Exit, message: string, hint: string];

const { mistake, unexpected, network, trust, limited } = Exit;

const lines = {
  // connection
  'no-daemon': (at: string): Line => [
    network,
    `no daemon answers at ${at}`,
    'start cadenasd or name another with --server HOST:PORT',
  ],
  'no-route': (at: string): Line => [network, `${at} can't be reached`, 'check the network and --server HOST:PORT'],
  'connect-timeout': (at: string): Line => [
    network,
    `${at} did not answer in time`,
    'check --server; a daemon without TLS needs --disable-ssl',
  ],
  'not-tls': (at: string): Line => [
    network,
    `${at} does not speak TLS`,
    'the daemon runs without TLS: add --disable-ssl, or check --server',
  ],
  pin: (at: string): Line => [
    trust,
    `the certificate of ${at} is not one that this client knows: somebody may be intercepting, or the network has new keys`,
    'ask your operator whether there is a new client; --allow-invalid-cert only if you know why it differs',
  ],
  'no-answer': (tls: string): Line => [
    network,
    'no answer: another network, keys that were retired, a wrong clock, or not a Cadenas server',
    `check --server and the clock, ask your operator whether there is a new client${tls === 'tls' ? '' : '; a daemon with TLS needs a client without --disable-ssl'}`,
  ],
  'too-old': (version: string): Line => [
    mistake,
    `this client is too old for the daemon, or of another build (426): it is ${version}`,
    'get a new one from your operator and put it in the place of this file; your profile stays as it is',
  ],
  'old-keys': (): Line => [
    mistake,
    'this profile has used newer keys of the network than this client has',
    'use the newest client that your operator gave you',
  ],
  disconnected: (): Line => [network, 'the connection to the daemon ended', 'try again'],
  stopping: (): Line => [network, 'the daemon is stopping', 'try again in a while'],
  protocol: (what: string): Line => [
    unexpected,
    `the daemon sent something that is not in the protocol (${what})`,
    'report this to your operator',
  ],
  timeout: (what: string): Line => [network, `the daemon did not answer ${what} in time`, 'try again'],
  'taken-over': (): Line => [
    network,
    'another client of this account logged in and took over',
    'log in again to take it back: cadenas login',
  ],
  disabled: (name: string): Line => [
    mistake,
    `the operator of the network has disabled the account @${name}`,
    'ask them; what comes for it waits meanwhile, and messages that you write are kept',
  ],
  'session-over': (): Line => [mistake, 'the session is over', 'log in again: cadenas login'],
  'owner-gone': (): Line => [
    network,
    'the background process ended; it is not known whether it was done',
    'see cadenas history',
  ],
  'owner-silent': (): Line => [
    network,
    'the background process did not answer in time; it is not known whether it was done',
    'see cadenas history',
  ],
  busy: (): Line => [network, 'too many commands use this profile at a time', 'try again in a while'],
  offline: (): Line => [network, 'not connected to the daemon', 'it goes on by itself when the daemon is back'],
  // account
  'bad-name': (typed: string): Line => [
    mistake,
    `${typed} is not a name`,
    'use 3 to 32 of a-z, 0-9 and _, the first a letter',
  ],
  'name-taken': (name: string): Line => [mistake, `the name @${name} is taken`, 'choose another'],
  'weak-keys': (problem: string): Line => [
    unexpected,
    `the keys that were made on this machine are weak (${problem}): there is no account`,
    'update Node and the system, then register again; or do it on another machine',
  ],
  'keys-refused': (): Line => [
    unexpected,
    'the daemon refused the keys that were made on this machine: they are weak, known to others, or in use already; there is no account',
    'register again, which makes new ones; if these are refused too, update Node and the system, or use another machine',
  ],
  'invitation-needed': (): Line => [
    mistake,
    'this network takes new accounts by invitation alone, or none at all (403)',
    'ask your operator for a code, then: cadenas register @name --invitation CODE',
  ],
  'invitation-refused': (): Line => [
    mistake,
    'the invitation does not count: mistyped, used already or too old, or the network takes no new accounts (403)',
    'ask your operator for another code',
  ],
  'bad-invitation': (): Line => [
    mistake,
    'this is no code of an invitation',
    'type it as you got it: 26 letters and digits; hyphens do not matter',
  ],
  'bad-full-name': (most: string): Line => [
    mistake,
    'this can’t be the full name',
    `use at most ${most} bytes, without control characters`,
  ],
  'bad-email': (): Line => [mistake, 'this is no address for mail', 'write it as somebody@example.org'],
  'no-mail': (): Line => [mistake, 'this network sends no mail', 'register without --email'],
  'mail-failed': (): Line => [
    network,
    'the daemon could not send the code by mail',
    'check the address, or try again later',
  ],
  'mail-unsent': (name: string): Line => [
    network,
    `@${name} needs a code by mail, and the daemon could not send one`,
    'try again later, or type a recovery code: cadenas login',
  ],
  'no-code': (): Line => [
    mistake,
    'a code will come by mail, and there is no terminal to type it on',
    'register on a terminal, or without --email',
  ],
  registered: (name: string): Line => [
    mistake,
    `this profile belongs to @${name} already`,
    'use another with --profile NAME',
  ],
  'no-profile': (profile: string): Line => [
    mistake,
    `profile ${profile} is empty`,
    'register first: cadenas register @name',
  ],
  'wrong-password': (): Line => [mistake, 'wrong password', 'type the one of this profile'],
  'wrong-words': (): Line => [mistake, 'wrong words', 'type the three words of this profile'],
  'login-refused': (name: string): Line => [
    mistake,
    `the daemon refused the login of @${name}`,
    'check --server; where its keys or secrets were changed on another device, this one is out; else ask your operator',
  ],
  'former-secrets': (name: string): Line => [
    mistake,
    `the password or the words of @${name} were changed: these are the former ones`,
    'type the new ones',
  ],
  'newer-secrets': (name: string): Line => [
    mistake,
    `a change of password or words of @${name} was cut off before it was done: these are not in use`,
    'type the former ones',
  ],
  unsettled: (): Line => [
    network,
    'it is not known whether the change was done: the daemon’s answer did not come',
    'log in with the new ones; if they are not in use, with the former ones: cadenas login',
  ],
  'settle-first': (): Line => [
    mistake,
    'a change of password, words or keys was cut off, and it is not known whether it was done',
    'log in once, then try again: cadenas login; of new keys: cadenas account renew-keys',
  ],
  'code-needed': (name: string): Line => [
    mistake,
    `@${name} logs in with a code too`,
    'type the code of your authenticator, or a recovery code: cadenas login',
  ],
  'mail-code-needed': (name: string): Line => [
    mistake,
    `@${name} logs in with a code that was sent by mail just now`,
    'type it, or a recovery code: cadenas login',
  ],
  'proof-refused': (name: string): Line => [
    mistake,
    `the daemon takes the words of this session no more: those of @${name} were changed, or a second factor was set`,
    'log in again, with the new ones: cadenas login; or give a code of the second factor as "code" among the secrets',
  ],
  'wrong-code': (): Line => [
    mistake,
    'the code does not count: mistyped, used already, or too old',
    'try the next one',
  ],
  'bad-code': (): Line => [
    mistake,
    'this is no code',
    'type six digits of your authenticator, eight that came by mail, or a recovery code',
  ],
  'no-mail-factor': (): Line => [
    mistake,
    'this network sends no mail',
    'use an authenticator instead: cadenas 2fa enable',
  ],
  'no-address': (): Line => [
    mistake,
    'your account has no address to send codes to',
    'give one: cadenas 2fa enable --email ADDRESS',
  ],
  'factor-not-begun': (): Line => [mistake, 'no second factor is being set up', 'begin with cadenas 2fa enable'],
  'no-session': (typed: string): Line => [mistake, `no one session begins with ${typed}`, 'see cadenas sessions list'],
  'renewal-busy': (): Line => [
    network,
    'requests of yours are not answered yet, and name your present keys',
    'try again in a while',
  ],
  'recovery-refused': (name: string): Line => [
    mistake,
    `the daemon refused the recovery of @${name}: name, password or code is wrong, or the code was used`,
    'try another of your recovery codes',
  ],
  'bad-recovery-code': (): Line => [
    mistake,
    'this is no recovery code',
    'type one of those that you noted: sixteen letters and digits',
  ],
  'account-gone': (): Line => [mistake, 'the account is deleted', 'nothing of it is left'],
  'weak-password': (least: string): Line => [mistake, 'the password is too short', `use at least ${least} characters`],
  'bad-words': (): Line => [mistake, 'these are not three words of three letters or more', 'type other words'],
  'damaged-identity': (): Line => [
    unexpected,
    'the identity file of this profile is damaged',
    'restore it from a backup',
  ],
  'newer-identity': (): Line => [
    mistake,
    'this profile was written by a newer client',
    'use the newest client that your operator gave you',
  ],
  'damaged-state': (): Line => [
    unexpected,
    'the state file of this profile is damaged',
    'restore the profile from a backup',
  ],
  'damaged-generation': (): Line => [
    unexpected,
    'the file generation of this profile is damaged',
    'restore the profile from a backup',
  ],
  // moving
  'registration-begun': (name: string): Line => [
    mistake,
    `a registration or recovery of @${name} was begun in this profile, and may be done`,
    'finish it with the same command and secrets, or use another with --profile NAME',
  ],
  'still-begun': (name: string): Line => [
    network,
    `the daemon may be at the registration or recovery of @${name} still, which was begun in this profile`,
    'say the same again in a while; if it stays so, use another with --profile NAME',
  ],
  'no-account-file': (): Line => [mistake, 'this is no exported account', 'name the file that account export wrote'],
  'newer-account-file': (): Line => [
    mistake,
    'this account was exported by a newer client',
    'use the newest client that your operator gave you',
  ],
  'damaged-account-file': (): Line => [
    mistake,
    'the exported account is damaged: not all of it is as it was written',
    'copy the file again, or export the account again',
  ],
  'wrong-passphrase': (): Line => [mistake, 'wrong passphrase', 'type the one that the account was exported with'],
  'weak-passphrase': (least: string): Line => [
    mistake,
    'the passphrase is too short',
    `use at least ${least} characters, or leave it out to have one drawn`,
  ],
  'file-of-network': (name: string): Line => [
    mistake,
    `the exported account is of network ${name}`,
    'use the client of that network',
  ],
  'other-network': (name: string): Line => [
    mistake,
    `this profile belongs to network ${name}`,
    'use the client of that network',
  ],
  storage: (what: string): Line => [network, `the profile can't be written: ${what}`, 'check the disk, then try again'],
  // people
  self: (): Line => [mistake, 'that is you', 'name somebody else'],
  'unknown-name': (name: string): Line => [mistake, `nobody is called @${name}`, 'check the spelling'],
  'never-asked': (name: string): Line => [
    mistake,
    `you have no conversation with @${name}`,
    `ask first: cadenas add @${name}`,
  ],
  'accept-first': (name: string): Line => [
    mistake,
    `@${name} asked you and waits`,
    `accept first: cadenas accept @${name}`,
  ],
  'no-request': (name: string): Line => [mistake, `@${name} has not asked you`, `ask yourself: cadenas add @${name}`],
  declined: (name: string): Line => [mistake, `@${name} declined`, `ask again: cadenas add @${name}`],
  blocked: (name: string): Line => [mistake, `you blocked @${name}`, `ask again to unblock: cadenas add @${name}`],
  changed: (name: string): Line => [
    trust,
    `the keys of @${name} changed: somebody may be in between; nothing is sent`,
    `compare your safety number with @${name} by other means: cadenas verify @${name}`,
  ],
  'no-keys': (name: string): Line => [
    mistake,
    `@${name} has not answered yet: there are no keys to compare`,
    'wait for the answer',
  ],
  'not-shown': (name: string): Line => [
    mistake,
    `you were not shown the safety number with @${name} yet`,
    `compare it first: cadenas verify @${name}`,
  ],
  'changed-again': (name: string): Line => [
    trust,
    `the keys of @${name} changed since you were shown the safety number`,
    `compare it again: cadenas verify @${name}`,
  ],
  'bad-number': (): Line => [
    mistake,
    'this is no safety number',
    'give the 60 digits, or what the QR code of the other side says',
  ],
  'numbers-differ': (name: string): Line => [
    trust,
    `this is not the safety number of you and @${name}: somebody may be in between, or it is another’s`,
    `compare it again by other means: cadenas verify @${name}; if it stays so, tell your operator`,
  ],
  'not-changed': (name: string): Line => [
    mistake,
    `the keys of @${name} did not change`,
    `see cadenas verify @${name}`,
  ],
  'uid-taken': (name: string, owner: string): Line => [
    trust,
    `the new keys of @${name} name the account of @${owner}: this daemon is not to be believed`,
    'tell your operator',
  ],
  'not-accepted': (name: string): Line => [
    mistake,
    `@${name} takes no messages from you now`,
    'the message is kept and tried again',
  ],
  'not-taken': (name: string): Line => [mistake, `the daemon did not take the message to @${name}`, 'send it anew'],
  // rooms
  'bad-room': (typed: string): Line => [
    mistake,
    `${typed} is not a name of a room`,
    'use 3 to 32 of a-z, 0-9 and _, the first a letter',
  ],
  'room-unknown': (room: string): Line => [
    mistake,
    `you are not in the room #${room}`,
    `see cadenas room list; to enter it: cadenas room join ${room}`,
  ],
  'room-joined': (room: string): Line => [mistake, `you are in #${room} already`, 'see cadenas room list'],
  'room-taken': (room: string): Line => [mistake, `there is a room #${room} already`, 'choose another name'],
  'room-refused': (room: string): Line => [
    mistake,
    `wrong password for #${room}, or there is no such room`,
    'ask somebody who is in it; a room without a password is entered by invitation alone',
  ],
  'room-needs-password': (room: string): Line => [
    mistake,
    `#${room} needs its password`,
    'give it at the prompt, or as "rooms" among the secrets',
  ],
  'room-weak-password': (least: string): Line => [
    mistake,
    'the password of the room is too short',
    `use at least ${least} characters, or leave it out to have one drawn`,
  ],
  'room-has-no-password': (room: string): Line => [
    mistake,
    `#${room} has no password: it is entered by invitation`,
    `invite somebody: cadenas room invite ${room} @somebody`,
  ],
  'room-wrap': (room: string, step: string): Line => [
    trust,
    `what lies under the password of #${room} is not its key (${step}): it was not used`,
    'a member or the daemon put it there; tell the owner, who mends it with cadenas room passwd, and your operator',
  ],
  'room-common': (room: string): Line => [
    mistake,
    `#${room} is the common room of the network: everybody may enter it`,
    'make a room of your own: cadenas room create NAME',
  ],
  'room-full': (room: string): Line => [limited, `#${room} is full`, 'somebody has to leave it, or be removed, first'],
  'rooms-full': (): Line => [
    limited,
    'you own as many rooms as one may, or the daemon has no place',
    'delete one first',
  ],
  'room-not-owner': (room: string): Line => [mistake, `only the owner of #${room} may do that`, 'ask them'],
  'room-owner-leaves': (room: string): Line => [
    mistake,
    `you own #${room}`,
    `hand it over first (cadenas room owner ${room} @somebody), or delete it`,
  ],
  'room-owner-full': (name: string): Line => [
    limited,
    `@${name} owns as many rooms as one may`,
    'hand it to somebody else, or have them delete one',
  ],
  'room-no-member': (room: string, name: string): Line => [
    mistake,
    `@${name} is not in #${room}`,
    `see cadenas room members ${room}`,
  ],
  'room-has-member': (room: string, name: string): Line => [
    mistake,
    `@${name} is in #${room} or invited already`,
    `see cadenas room members ${room}`,
  ],
  'room-not-invited': (room: string): Line => [mistake, `you are not invited to #${room}`, 'see cadenas room list'],
  'room-untrusted': (room: string): Line => [
    trust,
    `who is in #${room} can't be checked any more: nothing is sent there`,
    `ask your operator whether a backup was restored; then enter it again: cadenas room join ${room}`,
  ],
  'room-busy': (room: string): Line => [network, `others are changing #${room} at this moment`, 'try again'],
  'room-awaits': (room: string): Line => [
    network,
    `#${room} does not take you in before it has a new key: it knows you by the keys that you had`,
    'try again when somebody in it has written',
  ],
  'room-moved': (room: string): Line => [
    network,
    `#${room} has a new key since you entered it`,
    `enter it again: cadenas room join ${room}`,
  ],
  'room-closed': (room: string): Line => [
    mistake,
    `#${room} does not take messages from you any more`,
    'see cadenas room list',
  ],
  // texts and limits
  'text-empty': (): Line => [mistake, 'the text is empty', 'write something'],
  'text-long': (length: string, limit: string): Line => [
    mistake,
    `the text has ${length} bytes, the limit is ${limit}`,
    'send it in several messages',
  ],
  'text-invalid': (): Line => [mistake, 'the text is not valid UTF-8', 'convert it first'],
  'outbox-full': (limit: string): Line => [
    limited,
    `${limit} messages, or parts of long ones, wait to be sent already`,
    'wait until some are delivered',
  ],
  'contacts-full': (limit: string): Line => [
    limited,
    `the contact book holds ${limit} people already`,
    'use another profile with --profile NAME',
  ],
  limited: (wait: string): Line => [
    limited,
    'the daemon limits you for now',
    wait === '0' ? 'try again later' : `try again in ${wait} s`,
  ],
  unavailable: (code: string): Line => [network, `the daemon can't do this now (${code})`, 'try again later'],
  refused: (what: string, code: string): Line => [
    unexpected,
    `the daemon refused ${what} (${code})`,
    'report this to your operator',
  ],
  usage: (what: string): Line => [mistake, what, 'see cadenas --help'],
} as const;

export type ErrorCode = keyof typeof lines;

/** What crosses the profile's socket and stands in JSON output. */
export interface Trouble {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exit: Exit;
}

export class ClientError extends Error implements Trouble {
  readonly code: string;
  readonly hint: string;
  readonly exit: Exit;
  /** ms after which trying again makes sense, where the daemon said so */
  readonly wait: number;

  constructor(trouble: Trouble, wait = 0) {
    super(trouble.message);
    this.name = 'ClientError';
    this.code = trouble.code;
    this.hint = trouble.hint;
    this.exit = trouble.exit;
    this.wait = wait;
  }

  get trouble(): Trouble {
    return { code: this.code, message: this.message, hint: this.hint, exit: this.exit };
  }
}

export function error<C extends ErrorCode>(code: C, ...args: Parameters<(typeof lines)[C]>): ClientError {
  const [exit, message, hint] = Reflect.apply<undefined, readonly string[], Line>(lines[code], undefined, args);
  return new ClientError({ code, message, hint, exit });
}

/** The secrets don't open the registration of this name that was begun in this profile. */
export function begunOtherwise(name: string, code: 'wrong-password' | 'wrong-words'): ClientError {
  const [other, those] = code === 'wrong-words' ? ['other words', 'those'] : ['another password', 'that one'];
  return new ClientError({
    ...error(code).trouble,
    message: `a registration of @${name} was begun with ${other}`,
    hint: `type ${those}, or choose another --profile`,
  });
}

/** What is asked for needs a code, as a login does. @param mailed one was sent just now */
export function codeNeeded(name: string, mailed: boolean): ClientError {
  const from = mailed ? 'type the one that was sent by mail just now' : 'type the one of your authenticator';
  return new ClientError({
    ...error(mailed ? 'mail-code-needed' : 'code-needed', name).trouble,
    message: `@${name} proves this with a code too`,
    hint: `${from}, or a recovery code, on a terminal or as "code" among the secrets`,
  });
}

/** What the daemon asks for is longer than any timer lasts: some three weeks are as good. In seconds. */
const WAIT_MAX = 2_000_000;

/** The daemon asks to wait this many seconds. */
export function limitedFor(asked: number): ClientError {
  const seconds = Math.min(asked, WAIT_MAX);
  return new ClientError(error('limited', String(seconds)).trouble, seconds * 1000);
}

/** The same of what goes by itself then: whoever tried again would send it twice. */
export function keptFor(seconds: number): ClientError {
  const { trouble, wait } = limitedFor(seconds);
  const when = seconds === 0 ? 'later' : `in ${String(seconds)} s`;
  return new ClientError({ ...trouble, hint: `it goes by itself ${when}; don’t send it again` }, wait);
}

const connectCodes: Readonly<Record<ConnectFailure, 'no-daemon' | 'no-route' | 'connect-timeout' | 'not-tls' | 'pin'>> =
  {
    refused: 'no-daemon',
    unreachable: 'no-route',
    timeout: 'connect-timeout',
    closed: 'no-daemon',
    'not-tls': 'not-tls',
    pin: 'pin',
  };

/** A write to the profile failed. */
export function storageError(thrown: unknown): ClientError {
  return error('storage', thrown instanceof Error ? thrown.message : String(thrown));
}

/** Whatever was thrown as something to show; what isn't ours is a bug and says so. */
export function asClientError(thrown: unknown, at: string): ClientError {
  if (thrown instanceof ClientError) return thrown;
  if (thrown instanceof ConnectError) return error(connectCodes[thrown.reason], at);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ClientError({ code: 'unexpected', message, hint: 'this is a bug: report it', exit: Exit.unexpected });
}
