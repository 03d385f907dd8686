/** The commands of the control socket, by name: what comes is checked here, and how it ended is told. */
import { StorageError } from '../../store/store.js';
import { Args, usage } from './args.js';
import type { Command, ControlHost, Rows } from './host.js';
import { deleteUser, user, users } from './people.js';
import { ControlRefusal } from './refusal.js';
import { deleteRoom, rooms } from './rooms.js';
import { debug, drain, invite, limits, reload, setLimit } from './running.js';
import { health, status } from './watching.js';

export const controlCommands = {
  status,
  health,
  users,
  user,
  'delete-user': deleteUser,
  rooms,
  'delete-room': deleteRoom,
  invite,
  limits,
  'set-limit': setLimit,
  reload,
  debug,
  drain,
} as const satisfies Readonly<Record<string, Command>>;
export type ControlCommand = keyof typeof controlCommands;

export interface ControlRequest {
  readonly command: ControlCommand;
  readonly args: Readonly<Record<string, unknown>>;
  /** the network that is meant; left out: whichever it is */
  readonly network?: string;
}

export type Outcome =
  { readonly done: unknown } | { readonly error: { readonly code: string; readonly message: string } };

/** Whoever asked did not wait. */
const nobody: Outcome = { error: { code: 'internal', message: 'nobody reads this' } };

/** @param request whatever came. Does not throw */
export async function control(host: ControlHost, request: unknown, rows: Rows): Promise<Outcome> {
  const asker = { isGone: false };
  const telling: Rows = async (row) => {
    asker.isGone = true;
    await rows(row);
    asker.isGone = false;
  };
  try {
    const { command, args } = checked(host, request);
    return { done: await command(host, args, telling) };
  } catch (error) {
    if (error instanceof ControlRefusal) return { error: { code: error.code, message: error.message } };
    if (asker.isGone) return nobody;
    host.server.context.refusals.trouble('a request of the control socket failed', error);
    const what = error instanceof StorageError ? error.message : 'it failed';
    return { error: { code: 'internal', message: `${what} — look at the log of the daemon` } };
  }
}

/** @throws ControlRefusal */
function checked(host: ControlHost, request: unknown): { readonly command: Command; readonly args: Args } {
  const { command: name, args, network } = (request ?? {}) as Readonly<Record<string, unknown>>;
  const own = host.server.context.network;
  if (network !== undefined && network !== own)
    throw new ControlRefusal(
      'network',
      `the daemon that answers there serves the network ${own} — name it by --network`,
    );
  const known: Readonly<Record<string, Command>> = controlCommands;
  const command = typeof name === 'string' && Object.hasOwn(known, name) ? known[name] : undefined;
  if (!command) throw usage('there is no such command');
  return { command, args: new Args(args) };
}
