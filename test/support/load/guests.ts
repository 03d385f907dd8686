/** Newcomers, one after another: each registers, logs in and asks the host to talk, and repeats what was not answered. */
import { Code, ID, structs } from '../../../protocol/index.js';
import { nodeSync } from '../../../src/crypto/index.js';
import { connected } from '../people.js';
import { makeUser, registerUser, requestOf } from '../raw.js';
import { Device } from './device.js';
import type { Ledger } from './ledger.js';
import type { Lives } from './lives.js';

export class Guests {
  readonly #lives: Lives;
  readonly #ledger: Ledger;
  readonly #host: string;
  #finishing = false;
  /** Those whose registration, login and request were answered. */
  readonly arrived: Device[] = [];

  constructor(lives: Lives, ledger: Ledger, host: string) {
    this.#lives = lives;
    this.#ledger = ledger;
    this.#host = host;
  }

  /** Goes on, across all kills, until `finish`. */
  async run(): Promise<void> {
    for (let number = 1; !this.#finishing; number++) {
      const device = new Device(await makeUser(`guest${String(number)}`), this.#lives, this.#ledger);
      await this.#register(device);
      await this.#ask(device);
      this.arrived.push(device);
    }
  }

  finish(): void {
    this.#finishing = true;
  }

  async #register({ user, name }: Device): Promise<void> {
    let tries = 0;
    await this.#lives.persist(async (daemon) => {
      tries++;
      const raw = await connected(this.#lives.t, daemon);
      const { code } = (await registerUser(raw, user)).header;
      raw.close();
      /* A kill may have come between the account and its answer: then the name is taken, by this guest. */
      if (code !== Code.done && (tries === 1 || code !== Code.conflict))
        this.#ledger.fault(`${name} can't register: ${String(code)}`);
    });
  }

  async #ask(device: Device): Promise<void> {
    const id = nodeSync.random(ID);
    await this.#lives.persist(async (daemon) => {
      const { raw } = await device.visit(daemon);
      const { header } = await raw.ask(structs.jmpu, await requestOf(device.user, this.#host), id);
      if (header.code !== Code.queued) this.#ledger.fault(`${device.name} asked: ${String(header.code)}`);
      raw.close();
    });
  }
}
