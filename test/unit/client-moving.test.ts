/** An account moves to another device (SPEC 7.10): what is in the file, what is not, and how it goes on there. */
import tap, { test } from 'tap';
import { concat, exportFileKey, fromUtf8, hex, structs, utf8, type Values } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { openAccountFile, readAccountFile, sealAccountFile } from '../../src/client/account-file.js';
import { exportAccount, importAccount, openCore, type ClientPorts, type Item } from '../../src/client/index.js';
import { GENERATION_FILE } from '../../src/client/generations.js';
import { IDENTITY_FILE, NEXT_FILE, UNFINISHED_FILE } from '../../src/client/identity.js';
import { Journal } from '../../src/client/journal.js';
import { openCast, PASSWORD } from '../support/room-cast.js';
import { inside, roomOf, shown, until } from '../support/room-hostile.js';
import { befriended, comeBack, heard, leave, newGuest, say, told, type Guest } from '../support/room-lab.js';
import { code, isNotice, isText, nextDelivery, secrets, unread } from './client-parties.js';
import { clientCrypto, MemoryStorage, MovableClock } from './client-support.js';

const { lab, alice, bob, carol, honest, roomWith } = await openCast(tap);
const crypto = await clientCrypto();
const passphrase = 'a phrase of this file';
let people = 0;

function portsOf(storage: MemoryStorage, clock = new MovableClock()): ClientPorts {
  return { ...lab.host, crypto, storage, clock, log: () => undefined };
}

const exported = (guest: Guest) => exportAccount(portsOf(guest.storage, guest.clock), 'default', secrets);

async function fileOf(guest: Guest): Promise<Uint8Array> {
  return (await exported(guest)).seal(passphrase);
}

/** The same person on another device, on which this file is all there is. */
async function moved(guest: Guest, file: Uint8Array): Promise<void> {
  await leave(guest);
  const storage = new MemoryStorage();
  await importAccount(portsOf(storage), file, passphrase);
  Object.assign(guest, { storage });
  await comeBack(lab.host, guest);
}

/** Somebody new, whom nobody else in this file moves. */
async function friendsOf(t: Parameters<typeof newGuest>[0]): Promise<[Guest, Guest]> {
  const both = [
    await newGuest(t, lab.host, `mover${String(people)}`),
    await newGuest(t, lab.host, `friend${String(people++)}`),
  ] as [Guest, Guest];
  await befriended(...both);
  return both;
}

async function sendAndHear(from: Guest, to: Guest, text: string): Promise<void> {
  const delivered = nextDelivery(from.core);
  await from.core.call('send', { to: to.name, text });
  await unread(to.core, isText(text));
  await delivered;
}

async function warnings({ core }: Guest): Promise<string[]> {
  const { items } = await core.call('unread', {});
  return items.flatMap((item: Item) => (item.type === 'notice' ? [`${item.kind} ${item.detail}`.trim()] : []));
}

async function readAll({ core }: Guest): Promise<void> {
  const { items } = await core.call('unread', {});
  await core.call('read', { keys: items.map(({ key }) => key) });
}

test('an account moves: pins, verified keys and rooms go along, nobody is warned, and both sides talk on', async (t) => {
  const [a, b] = await friendsOf(t);
  const name = 'moving_room';
  await a.core.call('room-create', { room: name, inviteOnly: false, password: PASSWORD });
  await b.core.call('room-join', { room: name, password: PASSWORD });
  await told(a, name, 'entered', b.name);
  await a.core.call('verify', { name: b.name });
  await a.core.call('confirm', { name: b.name });
  await sendAndHear(a, b, 'a text from before');
  await sendAndHear(b, a, 'an answer from before');
  await say(a, name, 'a word from before');
  await heard(b, name, 'a word from before');
  await readAll(a);
  await readAll(b);
  await a.core.call('receipts', { on: false });
  const { contacts } = await a.core.call('contacts', { check: false });
  const account = await exported(a); // while the client runs
  t.match(account, { name: a.name, contacts: 1, rooms: 1, waiting: 0, unread: 0 });
  const file = await account.seal(passphrase);
  await moved(a, file);
  const [friend] = (await a.core.call('contacts', { check: true })).contacts;
  const latest = friend?.latest ?? 0; // since the relation: texts stay behind
  t.same(friend, { ...contacts[0], latest, check: 'same' });
  t.ok(latest > 0 && latest <= (contacts[0]?.latest ?? 0));
  t.ok(contacts[0]?.verified);
  t.same((await a.core.call('history', { name: b.name, after: 0 })).lines, [], 'texts stay behind');
  t.same(await a.core.call('receipts', {}), { on: false });
  await sendAndHear(a, b, 'from the new device');
  await sendAndHear(b, a, 'to the new device');
  t.match(await say(a, name, 'in the room, from the new device'), /delivered|queued/);
  await heard(b, name, 'in the room, from the new device');
  await say(b, name, 'in the room, to the new device');
  await heard(a, name, 'in the room, to the new device');
  for (const one of [a, b]) {
    one.clock.forward(6_000);
    t.same(await warnings(one), [], one.name);
  }
  await a.core.call('room-passwd', { room: name, password: PASSWORD });
  t.match(await say(a, name, 'under a new key'), /delivered|queued/);
  await heard(b, name, 'under a new key');
});

test('no text, no notice, no grant, no key of the former secrets is in the file', async (t) => {
  const [a, b] = await friendsOf(t);
  await sendAndHear(b, a, 'the text that was read');
  await readAll(a);
  await sendAndHear(b, a, 'the text that was not');
  await sendAndHear(a, b, 'the text that was sent');
  const stranger = await newGuest(t, lab.host, `stranger${String(people)}`);
  await stranger.core.call('add', { name: a.name });
  await unread(a.core, isNotice('request'));
  await a.core.call('add', { name: carol.name });
  t.match(await a.core.call('send', { to: carol.name, text: 'the text that waits' }), { state: 'waiting' });
  const account = await exported(a);
  t.match(account, { contacts: 3, waiting: 1, unread: 1 });
  const { content } = await openAccountFile(crypto, await account.seal(passphrase), passphrase);
  const text = fromUtf8(content) ?? '';
  t.notMatch(text, /the text that/);
  const { rows } = JSON.parse(text) as { rows: [string, string, { name?: string; relation?: string }][] };
  t.same([...new Set(rows.map(([table]) => table))].sort(), ['contacts', 'seen']);
  t.ok(rows.some(([, key, { relation }]) => key === stranger.name && relation === 'requested'));
  const { state } = await inside(lab, a);
  t.notMatch(text, new RegExp(state.grant.get('grant')?.grant ?? 'none'));
});

test('what came meanwhile to who is on the way waits for them; an unanswered command is repeated', async (t) => {
  const [a, b] = await friendsOf(t);
  lab.asked = (from, struct, _values, next) =>
    from === a.storage && struct.name === 'jmpu' ? new Promise(() => undefined) : next();
  void a.core.call('add', { name: bob.name }).catch(() => undefined);
  await until(a, async () => (await inside(lab, a)).state.actions.size === 1);
  const file = await fileOf(a);
  await leave(a);
  honest();
  await b.core.call('send', { to: a.name, text: 'on the way?' });
  await moved(a, file);
  await unread(a.core, isText('on the way?'));
  await unread(bob.core, (item) => isNotice('request')(item) && item.type === 'notice' && item.name === a.name);
  await readAll(bob);
  t.same(await warnings(a), []);
});

test('the export is older than the last texts: all of them are shown, and that the chain broke is told once', async (t) => {
  const [a, b] = await friendsOf(t);
  await sendAndHear(a, b, 'number one');
  await readAll(b);
  const file = await fileOf(a);
  await sendAndHear(a, b, 'number two');
  await sendAndHear(b, a, 'heard by the former device alone');
  await moved(a, file);
  await sendAndHear(a, b, 'number two again');
  await sendAndHear(a, b, 'number three');
  await sendAndHear(a, b, 'number four');
  b.clock.forward(6_000);
  const { items } = await b.core.call('unread', {});
  t.same(
    items.flatMap((item) => (item.type === 'message' ? [item.text] : [])).sort(),
    ['number four', 'number three', 'number two', 'number two again'],
    'a sequence that came already is shown',
  );
  t.same(await warnings(b), ['gap chain']);
  await sendAndHear(b, a, 'to the new device');
  a.clock.forward(6_000);
  await unread(a.core, isNotice('gap'));
  t.same(await warnings(a), ['gap 1'], 'what the former device heard is missing here, and told');
});

test('the export is older than a key of a room: the room goes on where it stands', async (t) => {
  const name = 'older_room';
  await roomWith(name, bob);
  const file = await fileOf(bob);
  const before = roomOf(await inside(lab, bob), name).epoch;
  await alice.core.call('room-passwd', { room: name, password: PASSWORD });
  await until(bob, async () => roomOf(await inside(lab, bob), name).epoch > before);
  await say(alice, name, 'heard by the former device');
  await heard(bob, name, 'heard by the former device');
  await moved(bob, file);
  t.match(await say(bob, name, 'from the new device'), /delivered|queued/);
  await heard(alice, name, 'from the new device');
  await say(alice, name, 'to the new device');
  await heard(bob, name, 'to the new device');
  t.same(
    (await shown(bob, name)).filter((line) => !line.includes(': ')),
    [],
  );
});

test('a long text of which a part came: it is given up, told so, and what comes of it is no contradiction', async (t) => {
  const [a, b] = await friendsOf(t);
  let parts = 0;
  const rest: (() => Promise<unknown>)[] = [];
  lab.asked = (from, struct, values, next) => {
    if (from !== b.storage || struct.name !== 'smpu' || ++parts <= 2) return next();
    return new Promise((resolve, reject) => {
      rest.push(() => next(values as Values<typeof structs.smpu>).then(resolve, reject));
    });
  };
  const long = 'x'.repeat(4 * 1024);
  const sent = b.core.call('send', { to: a.name, text: long });
  await until(a, async () =>
    [...(await inside(lab, a)).state.unfinished.values()].some((row) => Object.keys(row.pieces).length === 2),
  );
  const file = await fileOf(a);
  await moved(a, file);
  honest();
  for (const go of rest) await go();
  t.match(await sent, { state: /queued|delivered/ });
  await sendAndHear(b, a, 'behind it');
  a.clock.forward(6_000);
  t.same(await warnings(a), ['given-up 2/4']);
});

test('each byte of the file flipped, and each end cut off: refused; damage is told from a wrong passphrase', async (t) => {
  const header = { network: lab.host.linked.network, name: 'alice' };
  const file = await sealAccountFile(crypto, header, utf8('content'), passphrase);
  const { content } = await openAccountFile(crypto, file, passphrase);
  t.equal(fromUtf8(content), 'content');
  t.same(readAccountFile(crypto, file), header);
  const outcome = new Map<string, number>();
  const tried = async (bytes: Uint8Array): Promise<void> => {
    const got = await code(openAccountFile(crypto, bytes, passphrase));
    outcome.set(got, (outcome.get(got) ?? 0) + 1);
  };
  for (let at = 0; at < file.length; at++) {
    for (let bit = 0; bit < 8; bit++) await tried(file.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte)));
    await tried(file.subarray(0, at));
  }
  await tried(Uint8Array.of(...file, 0));
  t.same([...outcome.keys()].sort(), ['damaged-account-file', 'newer-account-file', 'no-account-file']);
  t.equal(await code(openAccountFile(crypto, file, `${passphrase}!`)), 'wrong-passphrase');
  t.equal(await code(openAccountFile(crypto, file, 'cafe\u0301 au lait')), 'wrong-passphrase');
  const accents = await sealAccountFile(crypto, header, utf8('content'), 'caf\u00e9 au lait');
  t.equal(await code(openAccountFile(crypto, accents, 'cafe\u0301 au lait')), 'done', 'typed on another keyboard');
  t.equal(await code(sealAccountFile(crypto, header, utf8('content'), 'short')), 'weak-passphrase');
});

/** A file with another line, as somebody would write it who knows the passphrase. */
async function forged(change: Record<string, unknown>, content: unknown): Promise<Uint8Array> {
  const salt = nodeSync.random(16);
  const sound = { format: 'cadenas account', version: 1, network: lab.host.linked.network, name: 'alice' };
  const argon = { memory: 65_536, passes: 3, lanes: 1, salt: hex(salt) };
  const line = utf8(`${JSON.stringify({ ...sound, ...argon, ...change })}\n`);
  const plain = content instanceof Uint8Array ? content : utf8(JSON.stringify(content));
  const [nonce, box] = [nodeSync.random(12), new Uint8Array(plain.length + 16)];
  const key = exportFileKey(nodeSync, await crypto.password.stretch(passphrase, salt));
  nodeSync.aead(key).seal(nonce, line, plain, box, 0);
  const all = concat(line, nonce, box);
  return concat(all, nodeSync.sha256(all));
}

test('versions, other numbers for the stretching, other networks, content that is none of ours', async (t) => {
  const [a] = await friendsOf(t);
  const identity = fromUtf8(a.storage.files.get(IDENTITY_FILE) ?? new Uint8Array(0)) ?? '';
  const good = { identity, stateKey: '00'.repeat(16), generation: 1, rows: [] };
  const tried = async (line: Record<string, unknown>, content: unknown = good): Promise<string> => {
    const storage = new MemoryStorage();
    const got = await code(importAccount(portsOf(storage), await forged(line, content), passphrase));
    if (got !== 'done') t.notOk(storage.files.has(IDENTITY_FILE), got);
    return got;
  };
  const name = { name: a.name };
  t.equal(await tried(name), 'done');
  t.equal(await tried({ ...name, version: 2 }), 'newer-account-file');
  t.equal(await tried({ ...name, format: 'another' }), 'no-account-file');
  t.equal(await tried({ ...name, network: 'elsewhere' }), 'file-of-network');
  for (const line of [
    { memory: 4_000_000 },
    { passes: 1 },
    { lanes: 4 },
    { salt: '00' },
    { version: 0 },
    { version: '1' },
    { name: '../x' },
    { network: 7 },
  ])
    t.equal(await tried({ ...name, ...line }), 'damaged-account-file', JSON.stringify(line));
  t.equal(await tried({ name: 'somebody' }), 'damaged-account-file', 'whose identity is in it is not who it names');
  for (const content of [
    new Uint8Array([0xff]),
    utf8('no JSON'),
    null,
    [],
    { ...good, stateKey: '00' },
    { ...good, generation: 'x' },
    { ...good, rows: [['outgoing', 'k', {}]] },
    { ...good, rows: [['grant', 'grant', { grant: '00', ends: 1 }]] },
    { ...good, rows: [['contacts', 'k', 7]] },
    { ...good, rows: [['seen', 'k', {}]] },
    { ...good, rows: [['contacts', 'k']] },
    { ...good, rows: [['contacts', 7, {}]] },
    { ...good, rows: [7] },
  ])
    t.equal(await tried(name, content), 'damaged-account-file', JSON.stringify(content));
  t.equal(await tried(name, { ...good, identity: '{}' }), 'damaged-identity');
  t.equal(await tried(name, { ...good, rows: [['contacts', 'k', { long: 'x'.repeat(800_000) }]] }), 'storage');
});

test('into an empty profile alone', async (t) => {
  const [a, b] = await friendsOf(t);
  const file = await fileOf(a);
  t.equal(await code(importAccount(portsOf(b.storage), file, passphrase)), 'registered');
  const begun = new MemoryStorage();
  await begun.replace(UNFINISHED_FILE, b.storage.files.get(IDENTITY_FILE) ?? new Uint8Array(0));
  t.equal(await code(importAccount(portsOf(begun), file, passphrase)), 'registration-begun');
  const other = { ...portsOf(new MemoryStorage()), linked: { ...lab.host.linked, network: 'elsewhere' } };
  t.equal(await code(importAccount(other, file, passphrase)), 'file-of-network');
});

test('what can be exported: a profile that is whole and opened by its own secrets', async (t) => {
  const [a] = await friendsOf(t);
  const by = (known: typeof secrets, storage = a.storage) => code(exportAccount(portsOf(storage), 'default', known));
  t.equal(await by({ ...secrets, password: 'wrong horse' }), 'wrong-password');
  t.equal(await by({ ...secrets, words: 'brook cloud window' }), 'wrong-words');
  t.equal(await by(secrets, new MemoryStorage()), 'no-profile');
  const changing = a.storage.copy();
  await changing.replace(NEXT_FILE, a.storage.files.get(IDENTITY_FILE) ?? new Uint8Array(0));
  t.equal(await by(secrets, changing), 'settle-first');
  const before = [...a.storage.files].map(([name, bytes]) => `${name} ${hex(nodeSync.sha256(bytes))}`);
  t.equal(await by(secrets), 'done');
  t.same(
    [...a.storage.files].map(([name, bytes]) => `${name} ${hex(nodeSync.sha256(bytes))}`),
    before,
    'it reads, and writes nothing',
  );
});

test('a state is read while another process rewrites it', async (t) => {
  const [a] = await friendsOf(t);
  const { stateKey } = await openedIdentity(a);
  const ports = portsOf(a.storage);
  const read = a.storage.read.bind(a.storage);
  let rewritten = 0;
  const moving = Object.assign(new MemoryStorage(), {
    read: async (name: string) => {
      if (name.startsWith('state-') && rewritten++ < 2) return undefined;
      return read(name);
    },
  });
  const state = await Journal.peek({ ...ports, storage: moving }, stateKey);
  t.equal(state.contacts.size, 1);
  rewritten = -100;
  t.equal(await code(Journal.peek({ ...ports, storage: moving }, stateKey)), 'damaged-state', 'not for ever');
  /* The last write of the other is not whole yet. */
  const torn = a.storage.copy();
  await torn.append(torn.stateLog, new Uint8Array([0, 0, 1, 0, 1, 2, 3]));
  t.equal((await Journal.peek({ ...ports, storage: torn }, stateKey)).contacts.size, 1);
});

async function openedIdentity(guest: Guest) {
  const { openIdentity } = await import('../../src/client/identity.js');
  const file = guest.storage.files.get(IDENTITY_FILE) ?? new Uint8Array(0);
  return openIdentity(crypto, lab.host.linked.network, file, secrets);
}

test('killed at each write of an import: the profile is empty, or whole; and another try goes through', async (t) => {
  const [a, b] = await friendsOf(t);
  await a.storage.replace(GENERATION_FILE, utf8('{"format":1,"newest":2}\n'));
  const file = await fileOf(a);
  await leave(a);
  let nth = 1;
  for (; ; nth++) {
    const storage = new MemoryStorage();
    let seen = 0;
    storage.before = () => {
      if (++seen >= nth) throw new Error('power cut');
    };
    const outcome = await code(importAccount(portsOf(storage), file, passphrase));
    storage.before = () => undefined;
    if (outcome === 'done') break;
    t.equal(outcome, 'storage');
    const disk = storage.copy();
    t.equal(await code(openCore(portsOf(disk), 'default', secrets)), 'no-profile', `write ${String(nth)}`);
    t.match(await importAccount(portsOf(disk), file, passphrase), { name: a.name, contacts: 1, rooms: 0 });
    const core = await openCore(portsOf(disk), 'default', secrets);
    t.match((await core.call('contacts', { check: false })).contacts, [{ name: b.name, relation: 'open' }]);
    await core.close();
    t.equal(fromUtf8(disk.files.get(GENERATION_FILE) ?? new Uint8Array(0)), '{"format":1,"newest":2}\n');
  }
  t.equal(nth, 9, 'keys that worked, nothing of four files before, state, its pointer, identity');
});
