/** When receipts go: several reads in one, and never so many that texts wait for them (SPEC 8.1). */
import { stateOf, type Desk } from './desk.js';

/** Reads within this time share a receipt, and so long after one to a contact comes the next at the soonest. */
const APART_MS = 1_000;

/** What seals them and hands them over. */
export interface ReceiptGate {
  /** One to this contact would go at once. */
  mayGo(to: string): boolean;
  send(to: string): Promise<void>;
}

interface Rest {
  readonly isAfterOne: boolean;
  readonly cancel: () => void;
}

export class Receipts {
  readonly #desk: Desk;
  readonly #gate: ReceiptGate;
  /** Contacts to whom none goes for now. */
  readonly #resting = new Map<string, Rest>();
  #closed = false;

  constructor(desk: Desk, gate: ReceiptGate) {
    this.#desk = desk;
    this.#gate = gate;
  }

  /** Something was read, and more may follow. */
  gather(): void {
    for (const to of this.#owed()) if (!this.#resting.has(to)) this.#rest(to, false);
  }

  /** Sends what may go. */
  look(): void {
    for (const to of this.#owed()) if (!this.#resting.has(to)) this.#send(to);
  }

  /** What was read last does not wait for more; what can't go now waits for the next start. */
  close(): void {
    for (const to of this.#owed()) if (!this.#resting.get(to)?.isAfterOne) this.#send(to);
    this.#closed = true;
    for (const { cancel } of this.#resting.values()) cancel();
  }

  #owed(): string[] {
    return this.#closed ? [] : [...stateOf(this.#desk).owed.keys()];
  }

  #send(to: string): void {
    if (!this.#gate.mayGo(to)) return;
    this.#rest(to, true);
    this.#desk.background(this.#gate.send(to));
  }

  #rest(to: string, isAfterOne: boolean): void {
    this.#resting.get(to)?.cancel();
    const cancel = this.#desk.ports.clock.after(APART_MS, () => {
      this.#resting.delete(to);
      this.look();
    });
    this.#resting.set(to, { isAfterOne, cancel });
  }
}
