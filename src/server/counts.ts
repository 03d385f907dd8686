/** What the daemon did since its start, as plain numbers: on the path of a message it costs one addition. */
import { Code, codes, COMMANDS_FROM, Opcode, opcodeName } from '../../protocol/index.js';

/** How a login ended, as far as it is told to nobody but the operator. `turned away`: too many, or malformed. */
export const loginResults = ['ok', 'name or signature', 'password', 'words or code', 'turned away'] as const;
export type LoginResult = (typeof loginResults)[number];

/** Codes are below it. */
const CODES = 512;
/** The highest opcode of a command, from the first on; 0 is no command. */
const COMMANDS = 1 + Math.max(...Object.values(Opcode)) - COMMANDS_FROM;

const zeros = (length: number): number[] => new Array<number>(length).fill(0);

export interface Answered {
  /** four letters; `other`: no command has this opcode */
  readonly command: string;
  readonly code: Code;
  readonly count: number;
}

export class Counts {
  /** Connections, before their first byte. */
  accepted = 0;
  /** Handshakes that made a session. */
  handshakes = 0;
  registrations = 0;
  recoveries = 0;
  mails = 0;
  mailsFailed = 0;
  /** Entries sealed for a client's connection, from the queue too. */
  pushed = 0;
  /** Entries handed to somebody who is online, and to somebody who is not. */
  toOnline = 0;
  toOffline = 0;
  /** by the number of the row in the dispatch table; 0: there is no row */
  readonly frames: number[];
  readonly #logins: Record<LoginResult, number>;
  readonly #answers = zeros(COMMANDS * CODES);

  /** @param rows of the dispatch table */
  constructor(rows: number) {
    this.frames = zeros(rows + 1);
    this.#logins = Object.fromEntries(loginResults.map((result) => [result, 0])) as Record<LoginResult, number>;
  }

  login(result: LoginResult): void {
    this.#logins[result]++;
  }

  get logins(): Readonly<Record<LoginResult, number>> {
    return this.#logins;
  }

  answer(opcode: number, code: Code): void {
    const command = opcode - COMMANDS_FROM;
    const at = (command > 0 && command < COMMANDS ? command : 0) * CODES + code;
    this.#answers[at] = (this.#answers[at] ?? 0) + 1;
  }

  /** What was answered at all. */
  answers(): Answered[] {
    return Array.from({ length: COMMANDS }, (_, n) => this.#answersTo(n)).flat();
  }

  /** Refusals of all steps of a command. */
  refused(opcode: Opcode): number {
    const own = this.#answersTo(opcode - COMMANDS_FROM);
    return own.filter(({ code }) => code >= Code.malformed).reduce((sum, { count }) => sum + count, 0);
  }

  #answersTo(command: number): Answered[] {
    const name = command === 0 ? 'other' : opcodeName(COMMANDS_FROM + command);
    return ([...codes] as Code[])
      .map((code) => ({ command: name, code, count: this.#answers[command * CODES + code] ?? 0 }))
      .filter(({ count }) => count > 0);
  }
}
