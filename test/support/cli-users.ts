/** Two people with the real command line. */
import { CliUser } from './cli.js';
import type { Daemon } from './daemon.js';
import type { Teardown } from './temp.js';

/** Registered as @alice and @bobby. */
export async function twoUsers(t: Teardown, daemon: Daemon): Promise<[CliUser, CliUser]> {
  const make = (name: string) => CliUser.make(t, { network: daemon.network, where: daemon, name });
  const both = [await make('alice'), await make('bobby')] as [CliUser, CliUser];
  for (const user of both) await user.ask('register', `@${user.name}`);
  return both;
}

/** Of what a command printed. */
export const textsOf = (lines: readonly Readonly<Record<string, unknown>>[]) =>
  lines.filter((line) => line['type'] === 'message').map((line) => line['text']);
