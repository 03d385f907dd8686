/** What becomes of an event for somebody who is away: none is taken for done that is not. */
import { test } from 'tap';
import { Code, Opcode } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import type { QueueEntry } from '../../src/store/store.js';
import { startFuzzed } from '../fuzz/daemon-server.js';
import { atServer, leave, newGuest } from '../support/room-lab.js';
import { inside } from '../support/room-hostile.js';

test('who has no account is 404, and what the store can’t take is its failure', async (t) => {
  const server = await startFuzzed(t);
  const host = atServer(server);
  const bob = await newGuest(t, host, 'bobby');
  const { uid } = await inside({ host }, bob);
  await leave(bob);
  const sound = { opcode: Opcode.rvum, from: uid, time: Date.now(), fields: new Uint8Array(9) };
  const deliver = (to: Uint8Array, more: Partial<QueueEntry>): Promise<number> =>
    new Promise((resolve) => {
      const [id, key] = [nodeSync.random(16), nodeSync.random(16)];
      server.context.deliver(to, { ...sound, id, key, ...more }, resolve);
    });
  const id = nodeSync.random(16);
  t.equal(await deliver(uid, { id }), Code.queued);
  t.equal(await deliver(nodeSync.random(16), {}), Code.notFound);
  t.equal(await deliver(uid, { id }), Code.storage, 'an id that waits already');
  t.equal(await deliver(uid, { id: nodeSync.random(15) }), Code.storage);
});
