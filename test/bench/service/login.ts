/** Whole logins at a rate that nothing slows down: the next one begins when it is due, whatever became of the others. */
import { setTimeout as delay } from 'node:timers/promises';
import { Code, structs, type LinkedNetwork } from '../../../protocol/index.js';
import { logIn, ports, type RawConnection, type RawUser, type Where } from '../../support/raw.js';
import { percentile, sorted } from '../row.js';
import { connectFrom } from './connect.js';
import { addressOf, type People } from './people.js';

/** A login that took longer, from the moment at which it was due, is late. */
const LATE_MS = 1_000;
/** Beyond so many under way the generator is what fails: it begins no more until some have ended. */
const AT_ONCE = 2_048;

export interface LoggedIn {
  /** due in the time */
  readonly asked: number;
  readonly succeeded: number;
  /** of those that succeeded: after more than a second */
  readonly late: number;
  /** answered by an error, by its code; 0: the connection ended or never began */
  readonly refused: Readonly<Record<string, number>>;
  /** ms from the moment at which a login was due to the answer that finishes it */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** ms that a login begins after it is due, 99 of 100: what of the above is the generator's own */
  readonly behind: number;
}

/** One pair of ML-KEM for all handshakes: a fifth of what a login costs who makes it, and the daemon can't tell. */
const mlkem = ports.asymmetric.mlkem();
const asymmetric = { ...ports.asymmetric, mlkem: () => mlkem };

/** Handshake and login, up to the events that a client waits for. @returns the code of the last answer */
export async function enter(
  raw: RawConnection,
  linked: LinkedNetwork,
  user: RawUser,
  answered: () => void = () => undefined,
): Promise<number> {
  const ack = await raw.handshake(linked, { asymmetric });
  if (!ack?.session) return ack?.header.code ?? 0;
  const { header } = await logIn(raw, user);
  if (header.code !== Code.done) return header.code;
  answered();
  await raw.event(structs.cnnt);
  await raw.event(structs.drnd);
  return Code.done;
}

export class Logins {
  readonly #where: Where;
  readonly #linked: LinkedNetwork;
  readonly #people: People;
  readonly #taken: number[] = [];
  readonly #behind: number[] = [];
  readonly #refused: Record<string, number> = {};
  #open = 0;
  #over: (() => void) | undefined;

  constructor(where: Where, linked: LinkedNetwork, people: People) {
    this.#where = where;
    this.#linked = linked;
    this.#people = people;
  }

  /** @param first the first of `users` people, who log in one after another, again and again */
  async run(first: number, users: number, perSecond: number, seconds: number): Promise<LoggedIn> {
    const asked = Math.round(perSecond * seconds);
    const began = performance.now();
    for (let at = 0; at < asked; at++) {
      const due = began + (1000 * at) / perSecond;
      const left = due - performance.now();
      if (left > 1) await delay(left);
      while (this.#open >= AT_ONCE) await new Promise<void>((resolve) => (this.#over = resolve));
      this.#open++;
      void this.#one(first + (at % users), due);
    }
    while (this.#open > 0) await new Promise<void>((resolve) => (this.#over = resolve));
    const taken = sorted(this.#taken);
    return {
      asked,
      succeeded: taken.length,
      late: taken.filter((ms) => ms > LATE_MS).length,
      refused: this.#refused,
      p50: percentile(taken, 0.5),
      p99: percentile(taken, 0.99),
      max: taken.at(-1) ?? 0,
      behind: percentile(sorted(this.#behind), 0.99),
    };
  }

  async #one(at: number, due: number): Promise<void> {
    this.#behind.push(performance.now() - due);
    const code = await this.#session(at, due).catch(() => 0);
    if (code !== Code.done) this.#refused[String(code)] = (this.#refused[String(code)] ?? 0) + 1;
    this.#open--;
    this.#over?.();
  }

  /** In, and out again. */
  async #session(at: number, due: number): Promise<number> {
    const raw = await connectFrom(addressOf(at), this.#where);
    const code = await enter(raw, this.#linked, this.#people.person(at), () => {
      this.#taken.push(performance.now() - due);
    });
    if (code === Code.done) raw.send(structs.quit, {});
    else raw.close();
    await raw.closed;
    return code;
  }
}
