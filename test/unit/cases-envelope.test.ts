/** Case 14: what a daemon changes of an envelope, or of their order, its reader refuses and says so. */
import { test } from 'tap';
import { ENVELOPE_HEADER, envelopeFields, fieldLength, structs, type Values } from '../../protocol/index.js';
import { friends, isNotice, isText, register, unread } from './client-parties.js';
import { MemoryDaemon } from './memory-daemon.js';

type Rvum = Values<typeof structs.rvum>;

/** A daemon that changes, or orders, what goes to bob. */
function meddle(daemon: MemoryDaemon, change: (envelope: Uint8Array) => Uint8Array): void {
  const queue = daemon.queue.bind(daemon);
  daemon.queue = (uid, struct, values) => {
    if (struct.name !== structs.rvum.name) queue(uid, struct, values);
    else queue(uid, structs.rvum, { envelope: change((values as unknown as Rvum).envelope.slice()) });
  };
}

/** What the reader says when the first byte of this field differs. */
const steps: Readonly<Record<string, string>> = {
  version: 'header',
  suite: 'header',
  conversation: 'header',
  message: 'seal',
  sender: 'stranger',
  recipient: 'recipient',
  senderKeys: 'keys',
  recipientKeys: 'keys',
  sequence: 'seal',
  time: 'seal',
  previous: 'seal',
  part: 'header',
  parts: 'seal', // 0, as in a receipt
};

test('case 14: every field of the header', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  const seen = new Set<string>();
  let [at, place] = [0, 0];
  meddle(daemon, (envelope) => envelope.map((byte, i) => (i === place ? byte ^ 1 : byte)));
  for (const field of envelopeFields) {
    /* The lowest byte, so that a number stays within its range. */
    place = at + fieldLength(field) - 1;
    at += fieldLength(field);
    await a.core.call('send', { to: 'bob', text: `changed in ${field.name}` });
    const wanted = steps[field.name];
    const told = await unread(b.core, (item) => isNotice('unreadable')(item) && !seen.has(item.key));
    seen.add(told.key);
    t.equal(told.type === 'notice' && told.detail, wanted, field.name);
  }
  t.equal(at, ENVELOPE_HEADER);
  const { items } = await b.core.call('unread', {});
  t.notOk(
    items.some((item) => item.type === 'message'),
    'no text of them is shown',
  );
});
test('case 14: the sealed text, and the key under which it is sealed', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  const known = new Set<string>();
  let flipped = 0;
  meddle(daemon, (envelope) => envelope.map((byte, i) => (i === flipped ? byte ^ 1 : byte)));
  for (const [place, step] of [
    [ENVELOPE_HEADER, 'block'],
    [ENVELOPE_HEADER + 255, 'block'],
    [ENVELOPE_HEADER + 256, 'seal'],
    [1735, 'seal'],
  ] as const) {
    flipped = place;
    await a.core.call('send', { to: 'bob', text: 'changed' });
    const told = await unread(b.core, (item) => isNotice('unreadable')(item) && !known.has(item.key));
    known.add(told.key);
    t.equal(told.type === 'notice' && told.detail, step, String(place));
  }
});

test('case 14: an envelope of one reader handed to another', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  const carol = await register(daemon, 'carol');
  t.teardown(() => Promise.all([a.core.close(), b.core.close(), carol.core.close()]));
  await a.core.call('add', { name: 'carol' });
  await unread(carol.core, isNotice('request'));
  await carol.core.call('accept', { name: 'alice' });
  await unread(a.core, isNotice('accepted'));
  await a.core.call('send', { to: 'bob', text: 'for bob alone' });
  await unread(b.core, isText('for bob alone'));
  const envelope = daemon.envelopes.at(-1);
  if (!envelope) throw new Error('nothing was sent');
  await daemon.inject('carol', structs.rvum, { envelope });
  const told = await unread(carol.core, isNotice('unreadable'));
  t.equal(told.type === 'notice' && told.detail, 'recipient');
});

test('case 14: two that changed places, one that comes twice, one that never comes', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  const kept: (() => void)[] = [];
  let holds = true;
  const queue = daemon.queue.bind(daemon);
  daemon.queue = (uid, struct, values) => {
    if (struct.name === structs.rvum.name && holds)
      kept.push(() => {
        queue(uid, struct, values);
      });
    else queue(uid, struct, values);
  };
  for (const text of ['one', 'two', 'three', 'four']) await a.core.call('send', { to: 'bob', text });
  holds = false;
  const [one, two, , four] = kept;
  for (const hand of [two, one, one, two, four]) hand?.();
  await unread(b.core, isText('four'));
  const { items } = await b.core.call('unread', {});
  const texts = items.flatMap((item) => (item.type === 'message' ? [item.text] : []));
  t.same(texts, ['one', 'two', 'four'], 'in the order in which they were written, each once');
  b.clock.forward(6_000);
  const gap = await unread(b.core, isNotice('gap'));
  t.equal(gap.type === 'notice' && gap.detail, '3');
});
