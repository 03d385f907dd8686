/** Rooms, as the operator sees and deletes them. */
import { hex, RowKind } from '../../../protocol/index.js';
import type { KeptRoom } from '../../store/store.js';
import type { Context } from '../context.js';
import { idKey } from '../keys.js';
import { isMember, readState } from '../room-state.js';
import type { Command } from './host.js';
import { ControlRefusal } from './refusal.js';
import type { RoomRow } from './types.js';

export const rooms: Command = async ({ server: { context } }, args, rows) => {
  args.end();
  let count = 0;
  for await (const room of context.store.rooms()) {
    await rows(await rowOf(context, room));
    count++;
  }
  return { rooms: count };
};

async function rowOf({ store, now }: Context, { id, name, owner, state }: KeptRoom): Promise<RoomRow> {
  const { head, rows } = readState(state);
  const [holder, said] = await Promise.all([store.accountByUid(owner), store.said(id)]);
  const invited = rows.filter((row) => row.kind === RowKind.invited && row.expires > now());
  return {
    name,
    id: hex(id),
    owner: holder?.name ?? null,
    members: rows.filter(isMember).length,
    invited: invited.length,
    epoch: head.epoch,
    messages: new Set(said.map(({ from, message }) => idKey(from) + idKey(message))).size,
  };
}

/** As its owner does it: everybody in it is told. */
export const deleteRoom: Command = async ({ server: { context } }, args) => {
  const name = args.name('name');
  args.end();
  const kept = await context.store.roomByName(name);
  const gone =
    kept && (await context.rooms.inTurn(kept.id, async (room) => room && context.rooms.destroy(room).then(() => true)));
  if (!kept || !gone)
    throw new ControlRefusal('unknown', `no room here has the name ${name} — cadenasd room list shows all`);
  context.log.info('room deleted by the operator', { room: hex(kept.id) });
  return { name, id: hex(kept.id) };
};
