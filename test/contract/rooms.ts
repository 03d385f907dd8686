/** Rooms: names, owners, versions, and what was said last. */
import { randomBytes } from 'node:crypto';
import type { Room, RoomMessage } from '../../src/store/store.js';
import { account, addUser, again, ended, message, plain, room, START, withUser, type Case } from './cases.js';

const STATE_MAX = 512 * 1024;

export const rooms: Record<string, Case> = {
  'a room is found by name and id, also after reopening': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const lounge = room('lounge', uid);
    t.equal(await store.createRoom(lounge), 'created');
    for (let round = 0; round < 2; round++) {
      const kept = plain({ ...lounge, version: 1 });
      t.same(plain(await store.roomByName('lounge')), kept);
      t.same(plain(await store.roomById(lounge.id)), kept);
      t.equal(await store.roomByName('loung'), undefined);
      t.same(await store.said(lounge.id), []);
      t.same((await store.roomsOf(uid)).map(plain), [plain(lounge.id)]);
      t.same(await store.roomsOf(randomBytes(16)), []);
      t.equal(await store.createRoom(room('lounge', uid)), 'taken');
      store = await again(store, reopen);
    }
    t.equal(await store.createRoom(room('alice', uid)), 'created', 'a user may have the same name');
    t.equal(await store.createAccount(account('lounge')), 'created');
    await store.close();
  },
  'of many calls for one room name at once exactly one creates': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const all = Array.from({ length: 5 }, () => room('lounge', uid));
    const results = await Promise.all(all.map((each) => store.createRoom(each)));
    t.same([...results].sort(), ['created', 'taken', 'taken', 'taken', 'taken']);
    store = await again(store, reopen);
    t.same(plain((await store.roomByName('lounge'))?.id), plain(all[results.indexOf('created')]?.id));
    await store.close();
  },
  'one id is never given to two rooms, and the first stays': async (t, reopen) => {
    const { store, uid } = await withUser(reopen);
    const lounge = room('lounge', uid);
    const both = [lounge, { ...room('garden', uid), id: lounge.id }];
    t.same(await Promise.all(both.map((each) => ended(store.createRoom(each)))), ['created', 'RangeError']);
    t.equal((await store.roomById(lounge.id))?.name, 'lounge');
    t.equal(await store.roomByName('garden'), undefined);
    await store.close();
  },
  'there are as many rooms as there may be, for each user and in all': async (t, reopen) => {
    const limits = { maxRoomsPerUser: 2, maxRooms: 3 };
    let { store, uid } = await withUser(reopen, limits);
    const bob = await addUser(store, 'bob');
    const first = room('first', uid);
    t.equal(await store.createRoom(first), 'created');
    t.equal(await store.createRoom(room('second', uid)), 'created');
    t.equal(await store.createRoom(room('third', uid)), 'full', 'too many of one owner');
    t.equal(await store.createRoom(room('third', bob)), 'created');
    store = await again(store, reopen, limits);
    t.equal(await store.createRoom(room('fourth', bob)), 'full', 'too many in all');
    t.equal(await store.createRoom(room('first', bob)), 'taken', 'a name that is taken is told first');
    t.equal(await store.deleteRoom(first.id), true);
    t.equal(await store.createRoom(room('fourth', uid)), 'created', 'one that goes makes room');
    t.equal(await store.createRoom(room('fifth', bob)), 'full');
    await store.close();
  },
  'of many rooms at once no more are made than there may be': async (t, reopen) => {
    const { store, uid } = await withUser(reopen, { maxRoomsPerUser: 2, maxRooms: 3 });
    const bob = await addUser(store, 'bob');
    const results = await Promise.all(
      [uid, uid, uid, bob, bob].map((owner, n) => store.createRoom(room(`room${n}`, owner))),
    );
    t.same(results, ['created', 'created', 'full', 'created', 'full']);
    await store.close();
  },
  'who got a room counts as its owner': async (t, reopen) => {
    const limits = { maxRoomsPerUser: 1 };
    let { store, uid } = await withUser(reopen, limits);
    const bob = await addUser(store, 'bob');
    const lounge = room('lounge', uid);
    await store.createRoom(lounge);
    t.equal(await store.changeRoom(lounge.id, 1, { owner: bob, state: lounge.state }), 'changed');
    for (let round = 0; round < 2; round++) {
      t.equal(await store.createRoom(room('garden', bob)), 'full');
      store = await again(store, reopen, limits);
    }
    t.equal(await store.createRoom(room('garden', uid)), 'created');
    await store.close();
  },
  'nobody is given more rooms than one may have': async (t, reopen) => {
    const { store, uid } = await withUser(reopen, { maxRoomsPerUser: 2 });
    const bob = await addUser(store, 'bob');
    const given = [room('one', uid), room('two', uid)];
    for (const each of [...given, room('own', bob)]) t.equal(await store.createRoom(each), 'created');
    const hand = ({ id, state }: Room, to: Uint8Array, version: number) =>
      store.changeRoom(id, version, { owner: to, state });
    const results = await Promise.all(given.map((each) => hand(each, bob, 1)));
    t.same(results, ['changed', 'full'], 'also of two at once');
    const [one, two] = given as [Room, Room];
    t.equal(await hand(two, uid, 1), 'changed', 'whoever has it may change it');
    t.equal(await hand(two, bob, 2), 'full');
    t.equal(await hand(one, uid, 2), 'changed');
    t.equal(await hand(two, bob, 2), 'changed');
    await store.close();
  },
  'a change takes the place of the version it names': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const bob = await addUser(store, 'bob');
    const lounge = room('lounge', uid);
    await store.createRoom(lounge);
    const [one, two] = [
      { owner: uid, state: randomBytes(10) },
      { owner: bob, state: randomBytes(2000) },
    ];
    t.equal(await store.changeRoom(lounge.id, 2, one), 'stale');
    t.equal(await store.changeRoom(lounge.id, 0, one), 'stale');
    t.equal(await store.changeRoom(lounge.id, 1, one), 'changed');
    t.equal(await store.changeRoom(lounge.id, 1, two), 'stale', 'a replay of an earlier one, too');
    t.same(plain(await store.roomById(lounge.id)), plain({ ...lounge, ...one, version: 2 }));
    store = await again(store, reopen);
    t.equal(await store.changeRoom(lounge.id, 1, two), 'stale');
    t.equal(await store.changeRoom(lounge.id, 2, two), 'changed', 'owner and state are handed over');
    for (let round = 0; round < 2; round++) {
      t.same(plain(await store.roomByName('lounge')), plain({ ...lounge, ...two, version: 3 }));
      store = await again(store, reopen);
    }
    await store.close();
  },
  'of two changes of one version at once the first is made': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const lounge = room('lounge', uid);
    await store.createRoom(lounge);
    store = await again(store, reopen);
    const changes = [1, 2, 3].map((n) => ({ owner: uid, state: randomBytes(n) }));
    const results = await Promise.all([
      ...changes.slice(0, 2).map((change) => store.changeRoom(lounge.id, 1, change)),
      store.changeRoom(lounge.id, 2, changes[2] ?? lounge),
    ]);
    t.same(results, ['changed', 'stale', 'changed'], 'each sees the one before');
    store = await again(store, reopen);
    t.same(plain(await store.roomById(lounge.id)), plain({ ...lounge, ...changes[2], version: 3 }));
    await store.close();
  },
  'a state is as long as it may be, and no longer': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const lounge = { ...room('lounge', uid), state: randomBytes(STATE_MAX) };
    const refused = { name: 'RangeError' };
    await t.rejects(store.createRoom({ ...lounge, state: randomBytes(STATE_MAX + 1) }), refused);
    t.equal(await store.roomByName('lounge'), undefined);
    t.equal(await store.createRoom(lounge), 'created');
    await t.rejects(store.changeRoom(lounge.id, 1, { owner: uid, state: randomBytes(STATE_MAX + 1) }), refused);
    const empty = { owner: uid, state: new Uint8Array(0) };
    t.equal(await store.changeRoom(lounge.id, 1, empty), 'changed');
    t.equal(await store.changeRoom(lounge.id, 2, lounge), 'changed');
    store = await again(store, reopen);
    t.same(plain(await store.roomById(lounge.id)), plain({ ...lounge, version: 3 }));
    await store.close();
  },
  'an owner must have an account': async (t, reopen) => {
    const { store, uid } = await withUser(reopen);
    const lounge = room('lounge', uid);
    await store.createRoom(lounge);
    const refused = { name: 'RangeError' };
    await t.rejects(store.createRoom(room('garden', randomBytes(16))), refused);
    await t.rejects(store.changeRoom(lounge.id, 1, { owner: randomBytes(16), state: randomBytes(1) }), refused);
    t.equal(await store.roomByName('garden'), undefined);
    t.same(plain(await store.roomById(lounge.id)), plain({ ...lounge, version: 1 }));
    await store.close();
  },
  'the 20 newest messages stay, the oldest first': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const [lounge, garden] = [room('lounge', uid), room('garden', uid)];
    await store.createRoom(lounge);
    await store.createRoom(garden);
    const all = Array.from({ length: 50 }, (_, n) => message(START + n));
    for (let n = 0; n < 50; n += 10) {
      const results = await Promise.all(all.slice(n, n + 10).map((each) => store.say(lounge.id, each)));
      t.same(new Set(results), new Set(['said']));
      const newest = all.slice(0, n + 10).slice(-20);
      t.same(plain(await store.said(lounge.id)), plain(newest));
      store = await again(store, reopen);
      t.same(plain(await store.said(lounge.id)), plain(newest), 'also after reopening');
    }
    t.same(await store.said(garden.id), [], 'rooms do not hear each other');
    t.same(plain(await store.roomById(lounge.id)), plain({ ...lounge, version: 1 }), 'and are no others for it');
    await store.close();
  },
  'a message stays with all its parts, also where others came between them': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const lounge = room('lounge', uid);
    await store.createRoom(lounge);
    const [from, whole] = [randomBytes(16), randomBytes(16)];
    const part = (): RoomMessage => ({ ...message(), from, message: whole });
    const others = Array.from({ length: 19 }, () => message());
    const parts = Array.from({ length: 64 }, part);
    const all = [...parts.slice(0, 30), ...others.slice(0, 10), ...parts.slice(30), ...others.slice(10)];
    for (const each of all) await store.say(lounge.id, each);
    for (let round = 0; round < 2; round++) {
      t.same(plain(await store.said(lounge.id)), plain(all));
      store = await again(store, reopen);
    }
    const more = part();
    t.equal(await store.say(lounge.id, more), 'said', 'a 65th part');
    t.same(plain(await store.said(lounge.id)), plain([...all.slice(1), more]), 'takes the place of the oldest');
    const newest = { ...message(), message: whole };
    t.equal(await store.say(lounge.id, newest), 'said', 'the same id of another sender is another message');
    const left = [...others, newest];
    t.same(plain(await store.said(lounge.id)), plain(left), 'the oldest goes with all its parts');
    t.equal(await store.say(lounge.id, parts[63] ?? newest), 'said', 'none of which is known any more');
    store = await again(store, reopen);
    t.same(plain(await store.said(lounge.id)), plain([...left.slice(1), parts[63]]));
    await store.close();
  },
  'a message said again is known while it is one of the 20': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const lounge = room('lounge', uid);
    await store.createRoom(lounge);
    const first = message();
    const replay: RoomMessage = { ...first, time: START + 9, fields: randomBytes(3) };
    t.same(await Promise.all([store.say(lounge.id, first), store.say(lounge.id, replay)]), ['said', 'known']);
    t.equal(await store.say(lounge.id, { ...first, from: randomBytes(16) }), 'said');
    t.equal(await store.say(lounge.id, { ...first, key: randomBytes(16), message: randomBytes(16) }), 'said');
    store = await again(store, reopen);
    for (let n = 0; n < 17; n++) await store.say(lounge.id, message());
    t.equal(await store.say(lounge.id, replay), 'known');
    t.same(plain((await store.said(lounge.id))[0]), plain(first));
    await store.say(lounge.id, message());
    t.equal(await store.say(lounge.id, replay), 'said', 'the 21st is forgotten');
    store = await again(store, reopen);
    t.same(plain((await store.said(lounge.id))[19]), plain(replay));
    await store.close();
  },
  'a change keeps what was said': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const lounge = room('lounge', uid);
    await store.createRoom(lounge);
    const all = [message(), message()];
    for (const [n, each] of all.entries()) {
      await store.say(lounge.id, each);
      await store.changeRoom(lounge.id, n + 1, { owner: uid, state: randomBytes(5) });
    }
    for (let round = 0; round < 2; round++) {
      t.same(plain(await store.said(lounge.id)), plain(all));
      t.equal((await store.roomById(lounge.id))?.version, 3);
      store = await again(store, reopen);
    }
    await store.close();
  },
  'a deleted room is gone with all that was said in it, and its name is free': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const lounge = room('lounge', uid);
    await store.createRoom(lounge);
    await store.say(lounge.id, message());
    store = await again(store, reopen);
    t.same(await Promise.all([store.deleteRoom(lounge.id), store.deleteRoom(lounge.id)]), [true, false]);
    for (let round = 0; round < 2; round++) {
      t.equal(await store.roomByName('lounge'), undefined);
      t.equal(await store.roomById(lounge.id), undefined);
      t.same(await store.said(lounge.id), []);
      t.equal(await store.deleteRoom(lounge.id), false);
      store = await again(store, reopen);
    }
    const second = room('lounge', uid);
    t.equal(await store.createRoom(second), 'created');
    t.same(await store.said(second.id), []);
    t.same(await Promise.all([store.deleteRoom(second.id), store.createRoom(lounge)].map(ended)), [true, 'created']);
    await store.close();
  },
  'calls for a room take effect before its deletion or after it': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    for (const opened of [false, true]) {
      const lounge = room('lounge', uid);
      await store.createRoom(lounge);
      if (!opened) store = await again(store, reopen);
      else await store.say(lounge.id, message());
      const calls = (version: number): Promise<unknown>[] => [
        store.say(lounge.id, message()),
        store.said(lounge.id).then((all) => all.length),
        store.changeRoom(lounge.id, version, { owner: uid, state: randomBytes(3) }),
        store.roomById(lounge.id).then((each) => each?.version),
        store.roomByName('lounge').then((each) => each?.version),
      ];
      const before = calls(1).map(ended);
      const deleted = store.deleteRoom(lounge.id);
      const after = calls(2).map(ended);
      const said = opened ? 2 : 1;
      t.same(await Promise.all(before), ['said', said, 'changed', 2, 2], opened ? 'in use' : 'at first use');
      t.equal(await deleted, true);
      t.same(await Promise.all(after), ['RangeError', 0, 'RangeError', undefined, undefined]);
    }
    await store.close();
  },
  'an id without a room reads as empty and takes no change': async (t, reopen) => {
    const { store, uid } = await withUser(reopen);
    const id = randomBytes(16);
    t.equal(await store.roomById(id), undefined);
    t.same(await store.said(id), []);
    t.equal(await store.deleteRoom(id), false);
    const refused = { name: 'RangeError' };
    await t.rejects(store.say(id, message()), refused);
    await t.rejects(store.changeRoom(id, 1, { owner: uid, state: randomBytes(1) }), refused);
    t.equal(await store.roomById(id), undefined);
    await store.close();
  },
};
