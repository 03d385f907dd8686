/** One connection of a play, and what came on it and is not asked for yet. */
import { Status, structs, type Struct, type Values } from '../../protocol/index.js';
import { must, Wrong } from '../support/fuzz.js';
import type { RawConnection, Received } from '../support/raw.js';

/** An answer that takes longer does not come, in ms. */
export const PATIENCE_MS = 5_000;

export type Row = Readonly<Record<string, unknown>>;

export async function patiently<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Wrong(`${what} does not come`));
    }, PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export class Wire {
  readonly raw: RawConnection;
  readonly #entered: (answer: Uint8Array) => void;
  #answers: Received[] = [];
  #wake: () => void = () => undefined;

  /** @param entered is told of the answer that finishes a login, which is the last frame under the old key */
  constructor(raw: RawConnection, entered: (answer: Uint8Array) => void) {
    this.raw = raw;
    this.#entered = entered;
    raw.onStruct = (bytes, received) => {
      this.#received(bytes, received);
    };
    void raw.closed.then(() => {
      this.#wake();
    });
  }

  get session(): RawConnection['session'] {
    return this.raw.session;
  }

  /** What came and is not asked for. */
  get left(): readonly Received[] {
    return this.#answers;
  }

  /** All in one write. */
  send(frames: readonly Uint8Array[]): void {
    for (const bytes of frames) this.session.send.add(bytes);
    this.raw.connection.write(this.session.send.take());
  }

  #received(bytes: Uint8Array, received: Received): void {
    const { opcode, header, values } = received;
    if (opcode === structs.pass.opcode && header.code === 200) this.#entered(bytes);
    if (opcode === structs.ansr.opcode && header.status !== Status.error) {
      for (const row of (values as Values<typeof structs.ansr>).answers) {
        const own = { ...header, ...row, frameId: row.frame } as Received['header'];
        this.#answers.push({
          opcode: row.opcode,
          step: row.step,
          frameId: row.frame,
          header: own,
          values: { wait: 0 },
          bytes,
        });
      }
    } else this.#answers.push(received);
    this.#wake();
  }

  /** @returns undefined where the connection has ended without it */
  answer(to: Uint8Array, what: string): Promise<Received | undefined> {
    const isIts = ({ frameId }: Received): boolean => Buffer.compare(frameId, to) === 0;
    return patiently(this.#take(isIts), `the answer to ${what}`);
  }

  async event(struct: Struct): Promise<Row> {
    const isIts = ({ opcode, header }: Received): boolean => opcode === struct.opcode && header.status === Status.valid;
    const found = await patiently(this.#take(isIts), struct.name);
    must(found !== undefined, `the connection ends instead of ${struct.name}`);
    return found.values;
  }

  async #take(isIts: (received: Received) => boolean): Promise<Received | undefined> {
    for (;;) {
      const at = this.#answers.findIndex(isIts);
      const [found] = at < 0 ? [] : this.#answers.splice(at, 1);
      if (found) return found;
      if (this.raw.isClosed) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
