/** What listeners are told of rooms, and what stands in their list. */
import tap, { test } from 'tap';
import { INVITATION_MS, ROOM_HISTORY } from '../../protocol/index.js';
import type { Client, ClientEvent, RoomView } from '../../src/client/index.js';
import { openCast, PASSWORD } from '../support/room-cast.js';
import { readAll } from '../support/room-hostile.js';
import { heard, leave, comeBack, say, told } from '../support/room-lab.js';

const NEWEST = Number.MAX_SAFE_INTEGER;
const { lab, alice, bob, roomWith } = await openCast(tap);

function record(client: Client): string[] {
  const all: string[] = [];
  client.on((event) => {
    if (event.type === 'row') {
      const { row } = event;
      const what = row.type === 'notice' ? `${row.kind} ${row.name}` : `${row.type} ${row.text}`;
      all.push(row.type === 'out' ? `${row.to} ${what}` : `#${row.room ?? ''} ${what}`);
    } else if (event.type === 'gone') all.push(`gone ${String(event.keys.length)}`);
    else if (event.type === 'changed') all.push(event.of);
  });
  return all;
}

function next(client: Client, type: ClientEvent['type']): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.on((event) => {
      if (event.type !== type) return;
      stop();
      resolve();
    });
  });
}

async function viewOf({ core }: { readonly core: Client }, name: string): Promise<RoomView | undefined> {
  return (await core.call('rooms', {})).rooms.find((room) => room.name === name);
}

test('what is said, who enters, what is pushed out, and the end of it', async (t) => {
  await roomWith('garden');
  const atAlice = record(alice.core);
  await bob.core.call('room-join', { room: 'garden', password: PASSWORD });
  const entered = await told(alice, 'garden', 'entered', 'bobby');
  t.same(atAlice, ['#garden entered bobby', 'rooms']);
  t.match(await viewOf(alice, 'garden'), { members: 2, unread: 1, latest: entered.at, by: 'alice' });
  const atBob = record(bob.core);
  await say(alice, 'garden', 'hello');
  const hello = await heard(bob, 'garden', 'hello');
  t.same(atBob, ['#garden message hello']);
  t.equal(atAlice.at(-1), '#garden out hello');
  t.match(await viewOf(bob, 'garden'), { unread: 1, latest: hello.at });
  const { rows } = await bob.core.call('page', { name: '#garden', before: NEWEST });
  t.match(rows.at(-1), { type: 'message', room: 'garden', from: 'alice', text: 'hello' });
  await readAll(bob);
  t.match(await viewOf(bob, 'garden'), { unread: 0, latest: hello.at });
  for (let i = 0; i < ROOM_HISTORY; i++) await say(alice, 'garden', String(i));
  await heard(bob, 'garden', String(ROOM_HISTORY - 1));
  const gone = next(bob.core, 'gone');
  bob.clock.forward(60_000);
  await gone;
  t.equal(atBob.at(-1), 'gone 1', 'the oldest that was read');
  atBob.splice(0);
  await alice.core.call('room-remove', { room: 'garden', name: 'bobby', password: 'six words of the room' });
  await told(bob, 'garden', 'you-removed');
  t.same(atBob, [`gone ${String(ROOM_HISTORY)}`, '#garden you-removed ', 'rooms']);
  t.equal(await viewOf(bob, 'garden'), undefined);
  const account = await bob.core.call('page', { name: '', before: NEWEST });
  t.match(account.rows.at(-1), { kind: 'you-removed', room: 'garden' }, 'there is no such room any more');
});

test('an invitation: told, shown with its room, and told again when its time is over', async (t) => {
  await alice.core.call('room-create', { room: 'closed', inviteOnly: true });
  await readAll(alice, bob);
  const atBob = record(bob.core);
  const invited = next(bob.core, 'changed');
  await alice.core.call('room-invite', { room: 'closed', name: 'bobby' });
  const notice = await told(bob, 'closed', 'invited', 'alice');
  await invited;
  t.same(atBob.slice(0, 2), ['#closed invited alice', 'rooms']);
  t.match(await viewOf(bob, 'closed'), { standing: 'invited', unread: 1, latest: notice.at });
  t.match((await bob.core.call('page', { name: '#closed', before: NEWEST })).rows, [{ kind: 'invited' }]);
  await leave(bob);
  await comeBack(lab.host, bob, false);
  const later = record(bob.core);
  const over = next(bob.core, 'changed');
  bob.clock.forward(INVITATION_MS);
  await over;
  t.equal(later.filter((one) => one === 'rooms').length, 1);
  t.equal(await viewOf(bob, 'closed'), undefined);
  const { rows } = await bob.core.call('page', { name: '', before: NEWEST });
  t.match(rows.at(-1), { kind: 'invited', room: 'closed' });
});
