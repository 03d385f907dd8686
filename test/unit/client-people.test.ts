import { test } from 'tap';
import { hex, signRequest, SUITE_RSA } from '../../protocol/index.js';
import type { Desk } from '../../src/client/desk.js';
import type { ClientPorts } from '../../src/client/index.js';
import { Journal } from '../../src/client/journal.js';
import { Gaps } from '../../src/client/gaps.js';
import { People } from '../../src/client/people.js';
import { apply } from '../../src/client/reducer.js';
import { CONTACTS_MAX } from '../../src/client/state.js';
import { Trust } from '../../src/client/trust.js';
import { clientCrypto, MemoryStorage, MovableClock } from './client-support.js';
import { nextRsa } from '../support/rsa-pairs.js';

test('requests of strangers do not take the places of others', async (t) => {
  const [crypto, enc, sig] = await Promise.all([clientCrypto(), nextRsa(), nextRsa()]);
  const ports = { crypto, storage: new MemoryStorage(), clock: new MovableClock(), log: () => undefined };
  const journal = await Journal.open(ports as unknown as ClientPorts, new Uint8Array(16));
  const me = { name: 'bob', uid: new Uint8Array(16).fill(1), enc, sig };
  const desk = { ports, me, journal, record: journal.append.bind(journal) } as unknown as Desk;
  const people = new People(desk);
  const bundle = { uid: new Uint8Array(16).fill(2), name: 'carol', enc: enc.modulus, sig: sig.modulus };
  const request = await signRequest(crypto, sig, { to: 'bob', ...bundle, time: 1, suite: SUITE_RSA });
  t.match(await people.onRequest(request), [{ t: 'requested' }, { kind: 'request' }]);
  for (let i = 0; i < CONTACTS_MAX; i++) {
    const keys = { uid: String(i), enc: '', sig: '' };
    apply(journal.state, { t: 'requested', name: `n${String(i)}`, keys, hash: String(i), at: 1 });
  }
  t.match(await people.add('alice'), { relation: 'asked' });
  t.same(await people.onRequest(request), [], 'but they have an end of their own');
});

test('a safety number is computed once for each contact', async (t) => {
  const [crypto, enc, sig, other] = await Promise.all([clientCrypto(), nextRsa(), nextRsa(), nextRsa()]);
  let hashes = 0;
  const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
    hashes++;
    return crypto.sync.sha256(...parts);
  };
  const counted = { ...crypto, sync: { ...crypto.sync, sha256 } };
  const ports = { crypto: counted, storage: new MemoryStorage(), clock: new MovableClock(), log: () => undefined };
  const journal = await Journal.open(ports as unknown as ClientPorts, new Uint8Array(16));
  const me = { name: 'bob', uid: new Uint8Array(16).fill(1), enc, sig };
  const desk = { ports, me, journal, record: journal.append.bind(journal) } as unknown as Desk;
  const keys = { uid: '02'.repeat(16), enc: hex(other.modulus), sig: hex(sig.modulus) };
  await journal.append({ t: 'requested', name: 'carol', keys, hash: 'h', at: 1 });
  const trust = new Trust(desk, new People(desk), new Gaps(desk));
  const { number } = await trust.show('carol');
  t.ok(hashes > 10_000, 'the rounds');
  hashes = 0;
  t.equal((await trust.show('carol')).number, number);
  t.match(await trust.confirm('carol'), { verified: true });
  t.ok(hashes < 10, 'fingerprints alone');
});
