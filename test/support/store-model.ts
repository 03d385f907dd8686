/**
 * What a store may give after anything that happened, by the promises of store.ts: the set of all states in
 * which it can be. What is kept is split into cells that nothing but their own calls change (a queue, the
 * owner of a name, one consent); each has its possible states.
 *
 * A call that was acknowledged leads each possible state to the next and rules out those in which it would
 * have given something else. One that never returned, or that rejected with StorageError, may have taken
 * effect or not: both stay possible, until what is acknowledged later tells. So a lost write, a second effect,
 * a wrong order and what comes back after its removal all end in the same way: no state is left that fits.
 */

/** What a cell may become by a call, and what the call then shows of it; undefined: nothing. */
export interface Branch {
  readonly next: unknown;
  readonly shows?: string | undefined;
}

/** What a call does with one cell. */
export interface Step {
  readonly cell: string;
  /**
   * The store promises no order for this call and others on the same cell. `both`: they must not overlap;
   * `after`: those that are made later must wait until it has returned.
   */
  readonly alone?: 'both' | 'after';
  /** @param state plain data, not to be changed; null where there is no account or room */
  apply(state: unknown): readonly Branch[];
  /** The share of the call's result that this cell shows; all of it unless told. */
  seen?(result: unknown): string;
}

/** Refused as a bug of the caller: what a call shows for what does not exist. */
export const REFUSED = 'RangeError';

export type CallState = 'open' | 'done' | 'uncertain';

/** A call that was made. */
export class Begun {
  readonly text: string;
  readonly steps: readonly Step[];
  state: CallState = 'open';
  result: unknown;

  constructor(text: string, steps: readonly Step[]) {
    this.text = text;
    this.steps = steps;
  }

  /** It was acknowledged with this result, or refused with RangeError. */
  done(result: unknown): void {
    this.state = 'done';
    this.result = result;
  }

  /** It rejected with StorageError, or its process died. */
  doubt(): void {
    this.state = 'uncertain';
  }
}

/** States of one cell that may be possible at once; a test must read before it makes more. */
const MOST = 256;

type States = Map<string, unknown>;

export class StoreModel {
  readonly #states = new Map<string, States>();
  /** cells of each user, by uid */
  readonly #parts = new Map<string, Set<string>>();
  /** the cell that tells whose an account's name is, by uid */
  readonly #nameCells = new Map<string, string>();
  #log: Begun[] = [];

  /** A user's cells are named by the uid, a slash and more; `name` is the cell of the account's name. */
  addUser(uid: string, name: string): void {
    this.#parts.set(uid, new Set());
    this.#nameCells.set(uid, name);
  }

  /** Names of the cells of this user that calls were made on. */
  parts(uid: string): readonly string[] {
    return [...(this.#parts.get(uid) ?? [])];
  }

  /** May be begun now: it overlaps nothing that has no order with it, and leaves few enough states to try. */
  mayBegin(steps: readonly Step[]): boolean {
    return steps.every(({ cell, alone }) => {
      const open = this.#log.filter(({ state }) => state === 'open').flatMap(({ steps }) => steps);
      const near = open.filter((step) => scope(step.cell) === scope(cell));
      if (alone === 'both' ? near.length > 0 : near.some((step) => step.alone)) return false;
      const here = this.#log.filter((begun) => begun.steps.some((step) => step.cell === cell));
      const uncertain = here.filter(({ state }) => state !== 'done').length;
      return (this.#states.get(cell)?.size ?? 1) * 2 ** uncertain < MOST;
    });
  }

  /** Tells that this call is made now, behind all others. */
  begin(text: string, steps: readonly Step[]): Begun {
    const begun = new Begun(text, steps);
    this.#log.push(begun);
    for (const { cell } of steps) this.#parts.get(cell.split('/')[0] ?? '')?.add(cell);
    return begun;
  }

  /** The process died: what has not returned never will. */
  died(): void {
    for (const begun of this.#log) if (begun.state === 'open') begun.doubt();
  }

  /**
   * Takes in all calls made so far; none may be open.
   * @throws Error where no possible state fits what was given
   */
  settle(): void {
    const log = this.#log;
    this.#log = [];
    for (const begun of log) for (const step of begun.steps) this.#take(begun, step);
    for (const uid of this.#parts.keys()) this.#agree(uid);
  }

  #take(begun: Begun, step: Step): void {
    if (begun.state === 'open') throw new Error(`still open: ${begun.text}`);
    const before = this.#cell(step.cell);
    const after: States = begun.state === 'uncertain' ? new Map(before) : new Map<string, unknown>();
    const seen = begun.state === 'done' ? seenBy(step, begun.result) : undefined;
    const possible = new Set<string>();
    for (const state of before.values()) {
      for (const { next, shows } of step.apply(state)) {
        possible.add(shows ?? 'anything');
        if (seen === undefined || shows === undefined || seen === shows) after.set(JSON.stringify(next), next);
      }
    }
    if (after.size === 0) {
      throw new Error(`${begun.text}\n  gave ${String(seen)}\n  but   ${[...possible].join('\n  or    ')}`);
    }
    this.#states.set(step.cell, after);
  }

  #cell(name: string): States {
    const known = this.#states.get(name);
    if (known) return known;
    // A cell of a user that no call was about yet: there if the user is, and empty.
    const [uid = '', part = ''] = name.split('/');
    const base = this.#parts.has(uid) ? this.#states.get(`${uid}/attempts`) : undefined;
    const states: States = new Map();
    for (const state of base ? base.values() : [null]) {
      const first = state === null ? null : empty(part);
      states.set(JSON.stringify(first), first);
    }
    this.#states.set(name, states);
    return states;
  }

  /** An account is there with all its parts or not at all. */
  #agree(uid: string): void {
    const nameCell = this.#nameCells.get(uid);
    const names = nameCell === undefined ? undefined : this.#states.get(nameCell);
    if (!names || !nameCell) return;
    const parts = this.parts(uid).filter((part) => this.#states.has(part));
    let there = names.has(JSON.stringify(uid));
    let gone = [...names.values()].some((owner) => owner !== uid);
    for (const part of parts) {
      const states = this.#cell(part);
      there &&= [...states.values()].some((state) => state !== null);
      gone &&= states.has('null');
    }
    if (!there && !gone) throw new Error(`of ${uid} (${nameCell}) some is there and some is not`);
    keep(names, (owner) => (owner === uid ? there : gone));
    for (const part of parts) keep(this.#cell(part), (state) => (state === null ? gone : there));
  }

  /** The states in which this cell may be, as of the last settling. */
  possible(cell: string): readonly unknown[] {
    return [...(this.#states.get(cell)?.values() ?? [])];
  }
}

/** What has one order: all parts of a user, or a cell of its own. */
function scope(cell: string): string {
  return cell.split('/')[0] ?? cell;
}

function keep(states: States, which: (state: unknown) => boolean): void {
  for (const [key, state] of states) if (!which(state)) states.delete(key);
}

function seenBy(step: Step, result: unknown): string {
  if (result === REFUSED || !step.seen) return String(result);
  return step.seen(result);
}

/** What a new account has. */
export function empty(part: string): unknown {
  if (part === 'attempts') return { count: 0, last: 0 };
  return part === 'queue' || part === 'grants' ? [] : 'none';
}
