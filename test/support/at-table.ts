/** Somebody at a terminal, and others who are cores in the test's own process: contacts of each other. */
import { registerCore, type ClientCore, type NoticeKind } from '../../src/client/index.js';
import { passwordClient } from '../../src/crypto/index.js';
import { MemoryStorage, MovableClock } from '../unit/client-support.js';
import { Person, type PersonOptions } from './at-screen.js';
import { CliUser } from './cli.js';
import { portsOf, secrets } from './cores.js';
import type { Daemon } from './daemon.js';
import type { Teardown } from './temp.js';
import { Waiting } from './waiting.js';

const HEARS_MS = 10_000;

/** Somebody who is connected, and has heard all that was said to them. */
export class Guest {
  readonly name: string;
  readonly core: ClientCore;
  /** in the order in which they came */
  readonly texts: string[] = [];
  readonly secrets = secrets;
  readonly #notices: string[] = [];
  readonly #waiting = new Waiting(() => `heard: ${JSON.stringify(this.texts)}`);

  private constructor(name: string, core: ClientCore) {
    this.name = name;
    this.core = core;
    core.on((event) => {
      if (event.type === 'row' && event.row.type === 'message') this.texts.push(event.row.text);
      if (event.type === 'row' && event.row.type === 'notice') this.#notices.push(event.row.kind);
      this.#waiting.look();
    });
  }

  /** @param entersRooms which are found by their passwords: these are stretched as the program does it, which takes time */
  static async comes(t: Teardown, daemon: Daemon, name: string, entersRooms = false): Promise<Guest> {
    const ports = await portsOf(daemon, new MemoryStorage(), new MovableClock());
    const password = entersRooms ? await passwordClient() : ports.crypto.password;
    const core = await registerCore({ ...ports, crypto: { ...ports.crypto, password } }, name, secrets);
    t.teardown(() => core.close());
    const guest = new Guest(name, core);
    await core.connect();
    return guest;
  }

  /** To somebody, or to a room: its name behind a #. */
  async says(to: string, ...texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.core.call('send', { to, text });
  }

  /** A notice that was not waited for before. */
  async hearsNotice(kind: NoticeKind): Promise<void> {
    const came = (): boolean => this.#notices.includes(kind);
    if (!came()) await this.#waiting.until(came, `a notice of ${kind}`, HEARS_MS);
    this.#notices.splice(this.#notices.indexOf(kind), 1);
  }

  async hears(text: string): Promise<void> {
    if (this.texts.includes(text)) return;
    await this.#waiting.until(() => this.texts.includes(text), `to hear ${text}`, HEARS_MS);
  }
}

/** Registered, and at the terminal, with the secrets in a file; a contact of all guests, at home. */
export async function sitsDown(
  t: Teardown,
  daemon: Daemon,
  name: string,
  guests: readonly Guest[],
  options: Partial<PersonOptions> = {},
): Promise<{ readonly user: CliUser; readonly person: Person }> {
  const { args = [], ...rest } = options;
  const user = await CliUser.make(t, { network: daemon.network, where: daemon, name });
  await user.ask('register', `@${name}`);
  for (const { core } of guests) await core.call('add', { name });
  const person = await Person.sits(t, {
    ...{ network: daemon.network, where: daemon, name, home: user.home },
    ...rest,
    args: ['--secrets-file', user.secrets, ...args],
  });
  for (const guest of guests) {
    await person.sees(`@${guest.name}`);
    person.says(`/accept @${guest.name}`);
    /* With what they asked: it is read by then. */
    await person.sees(new RegExp(`@${guest.name} asks[^]*accepted @${guest.name}`));
  }
  return { user, person };
}
