/** Commands about rooms, as rows of the core's table. */
import type { CommandName, Commands } from '../client.js';
import type { Rooms } from './rooms.js';

type RoomCommand = Extract<CommandName, 'rooms' | `room-${string}`>;
export type RoomTable = { readonly [C in RoomCommand]: (args: Commands[C]['args']) => Promise<Commands[C]['result']> };

/** Arguments may come through a socket: of the same user, but perhaps of another version of this program. */
type Text = (value: unknown, what: string) => string;

export function roomTable(rooms: Rooms, text: Text): RoomTable {
  const room = (args: { readonly room: string }): string => text(args.room, 'the room');
  const name = (args: { readonly name: string }): string => text(args.name, 'the name');
  const password = (args: { readonly password?: string }): string | undefined =>
    args.password === undefined ? undefined : text(args.password, 'the password');
  const quietly = async (work: Promise<void>): Promise<object> => {
    await work;
    return {};
  };
  return {
    rooms: () => Promise.resolve({ rooms: rooms.list() }),
    'room-create': async (args) => rooms.create(room(args), args.inviteOnly, password(args)),
    'room-join': async (args) => rooms.join(room(args), password(args)),
    'room-decline': async (args) => quietly(rooms.decline(room(args))),
    'room-invite': async (args) => rooms.invite(room(args), name(args)),
    'room-remove': async (args) => rooms.remove(room(args), name(args), password(args)),
    'room-owner': async (args) => rooms.handOver(room(args), name(args)),
    'room-passwd': async (args) => rooms.setPassword(room(args), password(args)),
    'room-leave': async (args) => quietly(rooms.leave(room(args))),
    'room-delete': async (args) => quietly(rooms.delete(room(args))),
    'room-members': async (args) => ({ members: await rooms.members(room(args)) }),
  };
}
