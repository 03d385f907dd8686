/** When receipts go: several reads in one, and never so many that texts wait for them (SPEC 8.1). */
import { stateOf, type Desk } from './desk.js';

/** Reads within this time share a receipt, and so long after one comes the next at the soonest, to whomever. */
const APART_MS = 1_000;
/** At a clean end there is no next: so many go at once. */
const LAST_MAX = 8;

/** What seals them and hands them over. */
export interface ReceiptGate {
  /** One to this contact would go at once. */
  mayGo(to: string): boolean;
  send(to: string): Promise<void>;
}

export class Receipts {
  readonly #desk: Desk;
  readonly #gate: ReceiptGate;
  /** None goes for now; ends that. */
  #rest: (() => void) | undefined;
  #closed = false;

  constructor(desk: Desk, gate: ReceiptGate) {
    this.#desk = desk;
    this.#gate = gate;
  }

  /** Something was read, and more may follow. */
  gather(): void {
    if (!this.#rest && !this.#closed && stateOf(this.#desk).owed.size > 0) this.#pause();
  }

  /** Sends the next, if it may go: to whoever has waited longest. */
  look(): void {
    if (this.#rest || this.#closed) return;
    const [to] = this.#ready(1);
    if (to === undefined) return;
    this.#pause();
    this.#desk.background(this.#gate.send(to));
  }

  /** What was read last does not wait for more; what can't go now waits for the next start. */
  close(): void {
    const last = this.#closed ? [] : this.#ready(LAST_MAX);
    this.#closed = true;
    this.#rest?.();
    for (const to of last) this.#desk.background(this.#gate.send(to));
  }

  #ready(most: number): string[] {
    const ready: string[] = [];
    for (const to of stateOf(this.#desk).owed.keys()) {
      if (ready.length === most) break;
      if (this.#gate.mayGo(to)) ready.push(to);
    }
    return ready;
  }

  #pause(): void {
    this.#rest = this.#desk.ports.clock.after(APART_MS, () => {
      this.#rest = undefined;
      this.look();
    });
  }
}
