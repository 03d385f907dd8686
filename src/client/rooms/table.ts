/** Commands about rooms, as rows of the core's table. */
import type { CommandName, Commands } from '../client.js';
import { error } from '../errors.js';

type RoomCommand = Extract<CommandName, 'rooms' | `room-${string}`>;
export type RoomTable = { readonly [C in RoomCommand]: (args: Commands[C]['args']) => Promise<Commands[C]['result']> };

export function roomTable(): RoomTable {
  const none = () => Promise.reject(error('unavailable', 'rooms'));
  return {
    rooms: none,
    'room-create': none,
    'room-join': none,
    'room-decline': none,
    'room-invite': none,
    'room-remove': none,
    'room-owner': none,
    'room-passwd': none,
    'room-leave': none,
    'room-delete': none,
    'room-members': none,
  };
}
