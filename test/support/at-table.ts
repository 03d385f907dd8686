/** Somebody at a terminal, and others who are cores in the test's own process: contacts of each other. */
import { Person, type PersonOptions } from './at-screen.js';
import { CliUser } from './cli.js';
import { registered, type CoreParty } from './cores.js';
import type { Daemon } from './daemon.js';
import type { Teardown } from './temp.js';
import { Waiting } from './waiting.js';

const HEARS_MS = 10_000;

/** Somebody who is connected, and has heard all that was said to them. */
export class Guest {
  readonly name: string;
  readonly party: CoreParty;
  /** in the order in which they came */
  readonly texts: string[] = [];
  readonly #waiting = new Waiting(() => `heard: ${JSON.stringify(this.texts)}`);

  private constructor(name: string, party: CoreParty) {
    this.name = name;
    this.party = party;
    party.core.on((event) => {
      if (event.type === 'row' && event.row.type === 'message') this.texts.push(event.row.text);
      this.#waiting.look();
    });
  }

  static async comes(t: Teardown, daemon: Daemon, name: string): Promise<Guest> {
    const guest = new Guest(name, await registered(t, daemon, name));
    await guest.core.connect();
    return guest;
  }

  get core(): CoreParty['core'] {
    return this.party.core;
  }

  /** To somebody, or to a room: its name behind a #. */
  async says(to: string, ...texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.core.call('send', { to, text });
  }

  async hears(text: string): Promise<void> {
    if (this.texts.includes(text)) return;
    await this.#waiting.until(() => this.texts.includes(text), `to hear ${text}`, HEARS_MS);
  }
}

/** Registered and contacts of all guests, whom this asks. Nothing of it is unread. */
export async function member(
  t: Teardown,
  daemon: Daemon,
  name: string,
  guests: readonly Guest[] = [],
): Promise<CliUser> {
  const user = await CliUser.make(t, { network: daemon.network, where: daemon, name });
  await user.ask('register', `@${name}`);
  for (const { core } of guests) await core.call('add', { name });
  if (guests.length > 0) await user.ask('login');
  for (const guest of guests) await user.ask('accept', `@${guest.name}`);
  if (guests.length > 0) await user.ask('receive');
  if (guests.length > 0) await user.run('logout');
  return user;
}

/** In front of the terminal, with the secrets in a file; what happened before is on the screen. */
export async function sitsDown(
  t: Teardown,
  daemon: Daemon,
  user: CliUser,
  options: Partial<PersonOptions> = {},
): Promise<Person> {
  const { args = [], ...rest } = options;
  const person = await Person.sits(t, {
    ...{ network: daemon.network, where: daemon, name: user.name, home: user.home },
    ...rest,
    args: ['--secrets-file', user.secrets, ...args],
  });
  return person;
}
