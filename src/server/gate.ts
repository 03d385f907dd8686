/** What a HELLO passes before it costs an RSA operation (SPEC 4.4). */
import {
  answerHello,
  hex,
  HELLO_WINDOW_MS,
  isTimely,
  openHello,
  type AnsweredHello,
  type Binding,
  type ClientBuild,
} from '../../protocol/index.js';
import { unserved } from './clients.js';
import type { Context } from './context.js';
import type { Caller } from './handler.js';
import { idKey } from './keys.js';
import { Places } from './places.js';
import type { Refusal } from './refusals.js';

/** A HELLO is timely for this long, so its random is kept as long. */
const REMEMBER_MS = 2 * HELLO_WINDOW_MS;
/** Looked at for each new one: more go than come. */
const LOOKS = 2;

type By = Pick<Caller, 'source' | 'connectionId'>;

export interface Admission extends AnsweredHello {
  /** Opens a block that this client seals later, for a new epoch (SPEC 5.5). */
  readonly openBlock: (block: Uint8Array) => Promise<Uint8Array | undefined>;
}

/** The randoms of recent HELLOs, on disk too. */
export class SeenHellos {
  /** by when they came, or nearly */
  readonly #times = new Map<string, number>();
  /** ms since 1970: a HELLO of before may have been seen by an earlier process */
  readonly notBefore: number;

  /** @param recent as the store read them; undefined: unknown, so HELLOs of before the start are refused */
  constructor(recent: readonly { random: Uint8Array; time: number }[] | undefined, started: number) {
    this.notBefore = recent ? -Infinity : started + HELLO_WINDOW_MS;
    for (const { random, time } of recent ?? []) this.#times.set(idKey(random), time);
  }

  get size(): number {
    return this.#times.size;
  }

  /** True the first time. */
  add(random: Uint8Array, time: number, now: number): boolean {
    this.#forget(now);
    const key = idKey(random);
    if (time < this.notBefore || this.#times.has(key)) return false;
    this.#times.set(key, time);
    return true;
  }

  /** A few at each call, since all at once hold everybody up: one of a clock that is ahead keeps those behind it a while. */
  #forget(now: number): void {
    let looks = 0;
    for (const [key, time] of this.#times) {
      if (now - time <= REMEMBER_MS || ++looks > LOOKS) return;
      this.#times.delete(key);
    }
  }
}

export class Gate {
  readonly #context: Context;
  readonly #seen: SeenHellos;
  readonly #places = new Places();

  constructor(context: Context, seen: SeenHellos) {
    this.#context = context;
    this.#seen = seen;
  }

  /** The answer to a HELLO, or why there is none. */
  async admit(hello: Uint8Array, binding: Binding, by: By): Promise<Admission | Refusal> {
    const { source } = by;
    const { sync, work, clients, generations, limits, store, now } = this.#context;
    const opened = openHello(sync, generations, binding, hello);
    if (!opened) return 'hello sealed otherwise';
    if (!isTimely(opened.time, now())) return 'hello out of time';
    if (opened.time < this.#seen.notBefore) return 'hello too early';
    if (!this.#places.take(source, limits.handshakes, limits['handshakes-per-source'])) return 'hello budget';
    try {
      if (!this.#seen.add(opened.cr, opened.time, now())) return 'hello replayed';
      const { cr, b1, inner, aad, time } = opened;
      const key = opened.keys.serverPrivate;
      const [found] = await Promise.all([
        work.openInner(key, { cr, b1, inner, aad }, clients),
        store.rememberHello(cr, time),
      ]);
      if (!found) return 'hello inner';
      if (!found.agreed) this.#tell(found.client, by);
      const answered = answerHello(sync, opened, found, { window: limits.window }, now());
      return { ...answered, openBlock: (block) => work.openBlock(key, block) };
    } finally {
      this.#places.give(source);
    }
  }

  /** For the operator, who may want to serve it. */
  #tell({ build, software, table }: ClientBuild, { source, connectionId: connection }: By): void {
    const { clients, refusals } = this.#context;
    const lacking = unserved(clients, { build, software, table }) ?? '';
    refusals.count('client', source, { connection, lacking, build, software: hex(software), table: hex(table) });
  }
}
