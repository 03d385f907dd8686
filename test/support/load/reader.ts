/** Takes messages: always there, never there, or coming and going. Drops duplicates, and complains of what is none. */
import { readEnvelopeHeader, structs, type Values } from '../../../protocol/index.js';
import type { Draws } from '../draws.js';
import type { Received } from '../raw.js';
import { Acknowledger, pump, type Device, type Visit } from './device.js';
import type { Letter, Writer } from './writer.js';

/** A restless reader stays for so many messages at most, and leaves a part of them unacknowledged. */
const STAYS_FOR = 200;
const ACKNOWLEDGES = 0.8;

export class Reader {
  readonly device: Device;
  /** By uid. */
  readonly #writers = new Map<string, Writer>();
  /** By writer: the number of the last new message. */
  readonly #last = new Map<Writer, number>();
  #visit: Visit | undefined;
  #left = false;

  constructor(device: Device) {
    this.device = device;
  }

  reads(writer: Writer): void {
    this.#writers.set(hex(writer.device.user.uid), writer);
  }

  /** How many came, of those in order from the first on. */
  seen(writer: Writer): number {
    return this.#last.get(writer) ?? 0;
  }

  /** Is there and acknowledges all, across all kills, until `leave`. */
  async stay(): Promise<void> {
    await this.#while(() => ({ wanted: () => true, acknowledges: () => true }));
  }

  /** Comes and goes, across all kills, until `leave`. */
  async comeAndGo(draws: Draws): Promise<void> {
    await this.#while(() => {
      let left = 1 + draws.below(STAYS_FOR);
      return { wanted: () => left-- > 0, acknowledges: () => draws.chance(ACKNOWLEDGES) };
    });
  }

  /** Ends `stay` and `comeAndGo`. */
  leave(): void {
    this.#left = true;
    this.#visit?.raw.close();
  }

  async #while(begin: () => { wanted: () => boolean; acknowledges: () => boolean }): Promise<void> {
    const { lives } = this.device;
    const visit = async (daemon: Parameters<Device['visit']>[0]): Promise<void> => {
      this.#visit = await this.device.visit(daemon);
      const { raw } = this.#visit;
      const { wanted, acknowledges } = begin();
      const acks = new Acknowledger(raw);
      await pump(
        raw,
        () => this.#left || !wanted(), // it may have left while it came back
        (received) => {
          const letter = this.#take(received);
          if (letter && acknowledges()) {
            letter.acknowledged = true;
            acks.add(received.frameId);
          }
        },
      );
      acks.flush();
      raw.close();
    };
    while (!this.#left)
      await lives.persist(visit).catch((error: unknown) => {
        if (!this.#left) throw error;
      });
  }

  /**
   * Takes all that waits, and acknowledges it: every message is there once.
   * @returns the messages, and the senders of requests
   */
  async drain(): Promise<{ readonly letters: Letter[]; readonly asked: string[] }> {
    const { ledger, name, lives } = this.device;
    const visit = await this.device.visit((await lives.current()).daemon);
    this.#visit = visit;
    const { raw, queued } = visit;
    const acks = new Acknowledger(raw);
    const letters = new Set<Letter>();
    const queuedLast = new Map<Writer, number>();
    const asked: string[] = [];
    let came = 0;
    let drained = -1;
    await pump(
      raw,
      () => drained >= 0,
      (received) => {
        const { opcode, values, frameId } = received;
        if (opcode === structs.drnd.opcode) drained = (values as Values<typeof structs.drnd>).delivered;
        if (opcode !== structs.rvum.opcode && opcode !== structs.rjmp.opcode) return;
        came++;
        acks.add(frameId);
        if (opcode === structs.rjmp.opcode) asked.push((values as Values<typeof structs.rjmp>).name);
        const letter = this.#take(received);
        if (!letter) return;
        if (letters.has(letter)) ledger.fault(`${name}: message ${String(letter.number)} was queued twice`);
        if (letter.sends === 1) this.#inOrder(letter, queuedLast);
        letter.acknowledged = true;
        letters.add(letter);
      },
    );
    if (came !== queued || drained !== queued)
      ledger.fault(
        `${name}: ${String(queued)} waited, ${String(came)} came, ${String(drained)} were said to have come`,
      );
    acks.flush();
    return { letters: [...letters], asked };
  }

  /** What was sent once stands in the queue as it was sent; a repetition may rightly stand behind what is newer. */
  #inOrder({ number, writer }: Letter, last: Map<Writer, number>): void {
    const before = last.get(writer) ?? 0;
    if (number < before)
      this.device.ledger.fault(
        `${this.device.name}, from ${writer.device.name}: ${String(number)} was queued behind ${String(before)}`,
      );
    last.set(writer, number);
  }

  #take(received: Received): Letter | undefined {
    if (received.opcode !== structs.rvum.opcode) return undefined;
    const { ledger, name } = this.device;
    const { envelope } = received.values as Values<typeof structs.rvum>;
    const header = readEnvelopeHeader(envelope);
    const writer = header && this.#writers.get(hex(header.sender));
    const letter = header && writer?.letters[header.sequence - 1];
    if (!writer || !letter) {
      ledger.fault(`${name} got what nobody wrote`);
      return undefined;
    }
    const { number, confirmed, sends } = letter;
    const what = `${name}, from ${writer.device.name}, message ${String(number)}:`;
    if (!writer.envelope(letter).equals(envelope)) ledger.fault(`${what} other bytes`);
    const last = this.seen(writer);
    if (number > last + 1) ledger.fault(`${what} came behind ${String(last)}`);
    if (number > last) this.#last.set(writer, number);
    else ledger.redelivered++;
    /* One that was sent once can't wait any more when the daemon has said that it was acknowledged. */
    if (sends === 1 && confirmed !== undefined && confirmed < (this.#visit?.began ?? 0))
      ledger.fault(`${what} came again after the daemon had reported it as delivered`);
    return letter;
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
