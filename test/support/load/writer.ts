/** Writes to one reader, many messages under way; repeats after a break what was not answered, byte for byte. */
import { Code, ID, structs, type Values } from '../../../protocol/index.js';
import { letter } from '../letters.js';
import type { RawConnection, Received } from '../raw.js';
import { Acknowledger, pump, type Device } from './device.js';
import type { Reader } from './reader.js';

export interface Letter {
  readonly writer: Writer;
  readonly number: number;
  readonly id: Uint8Array;
  sends: number;
  answer: number | undefined;
  /** The reader said so to the daemon. */
  acknowledged: boolean;
  /** When the writer was told so, on the ledger's clock. */
  confirmed: number | undefined;
}

export class Writer {
  readonly device: Device;
  readonly to: Reader;
  readonly #window: number;
  readonly #letters: Letter[] = [];
  readonly #byId = new Map<string, Letter>();
  /** Not answered, in order. */
  readonly #open = new Map<string, Letter>();
  #finishing = false;

  constructor(device: Device, to: Reader, window: number) {
    this.device = device;
    this.to = to;
    this.#window = window;
  }

  get written(): number {
    return this.#letters.length;
  }

  /** In order; the first has number 1. */
  get letters(): readonly Letter[] {
    return this.#letters;
  }

  /** The same bytes for the same letter, whenever they are asked for. */
  envelope({ id, number }: Letter): Buffer {
    return letter(this.device.user, this.to.device.user, number, id);
  }

  /** Writes, across all kills, until `finish` is called and all is answered. */
  async run(): Promise<void> {
    await this.device.lives.persist(async (daemon) => {
      const { raw } = await this.device.visit(daemon);
      for (const letter of this.#open.values()) this.#send(raw, letter);
      await this.#listen(raw, () => {
        this.#fill(raw);
        return this.#finishing && this.#open.size === 0;
      });
      raw.close();
    });
  }

  /** Nothing new is written from here on. */
  finish(): void {
    this.#finishing = true;
  }

  /** Comes back and stays until these have been reported as delivered. */
  async confirmed(letters: readonly Letter[]): Promise<void> {
    const { raw } = await this.device.visit((await this.device.lives.current()).daemon);
    await this.#listen(raw, () => letters.every(({ confirmed }) => confirmed !== undefined));
    raw.close();
  }

  async #listen(raw: RawConnection, done: () => boolean): Promise<void> {
    const acks = new Acknowledger(raw);
    await pump(raw, done, (received) => {
      if (received.opcode === structs.smpu.opcode) this.#answered(received);
      else if (received.opcode === structs.dlvd.opcode) {
        this.#delivered(received.values as Values<typeof structs.dlvd>);
        acks.add(received.frameId);
      }
    });
  }

  #fill(raw: RawConnection): void {
    while (!this.#finishing && this.#open.size < this.#window) {
      const id = Buffer.alloc(ID);
      id.set(this.device.user.uid.subarray(0, 8));
      id.writeUInt32BE(this.written + 1, 12);
      const fresh: Letter = {
        writer: this,
        number: this.written + 1,
        id,
        sends: 0,
        answer: undefined,
        acknowledged: false,
        confirmed: undefined,
      };
      this.#letters.push(fresh);
      this.#byId.set(keyOf(id), fresh);
      this.#open.set(keyOf(id), fresh);
      this.#send(raw, fresh);
    }
  }

  #send(raw: RawConnection, letter: Letter): void {
    if (letter.sends > 0) this.device.ledger.repeated++;
    letter.sends++;
    raw.send(structs.smpu, { envelope: this.envelope(letter) }, letter.id);
  }

  #answered({ frameId, header: { code } }: Received): void {
    const { ledger, name } = this.device;
    const letter = this.#open.get(keyOf(frameId));
    if (!letter) {
      ledger.fault(`${name} got an answer ${String(code)} to nothing that is open`);
      return;
    }
    this.#open.delete(keyOf(frameId));
    letter.answer = code;
    ledger.countAnswer();
    const what = `${name}, message ${String(letter.number)}:`;
    if (code === Code.done && !letter.acknowledged) ledger.fault(`${what} 200, and its reader did not acknowledge it`);
    if (code !== Code.done && code !== Code.queued) ledger.fault(`${what} answered ${String(code)}`);
  }

  #delivered({ message }: Values<typeof structs.dlvd>): void {
    const { ledger, name } = this.device;
    const letter = this.#byId.get(keyOf(message));
    if (!letter?.acknowledged) ledger.fault(`${name}: delivered is what its reader did not acknowledge`);
    if (letter) letter.confirmed ??= ledger.tick();
  }
}

const keyOf = (id: Uint8Array): string => Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1');
