/** Which of two generations of keys a client uses, and that it never goes back (SPEC 4.7). */
import { test } from 'tap';
import { fromUtf8, hex, utf8, type LinkedNetwork, type NetworkKeys } from '../../protocol/index.js';
import { openCore, registerCore, type ClientPorts } from '../../src/client/index.js';
import { code, secrets } from './client-parties.js';
import { MemoryStorage, MovableClock } from './client-support.js';
import { MemoryDaemon, newGeneration } from './memory-daemon.js';

const FILE = 'generation';

const linkedWith = (generation: number, { networkKey, serverModulus }: NetworkKeys) => ({
  generation,
  networkKey: hex(networkKey),
  serverModulus: hex(serverModulus),
});

async function setUp() {
  const daemon = await MemoryDaemon.start();
  const [old, next] = [daemon.generations[0] ?? (await newGeneration()), await newGeneration()];
  const both: LinkedNetwork = { ...daemon.linked, next: linkedWith(2, next) };
  const storage = new MemoryStorage();
  const ports = async (linked: LinkedNetwork): Promise<ClientPorts> => ({
    ...(await daemon.ports(storage, new MovableClock())),
    linked,
  });
  /** Registers, and leaves; gives the error's code, or `done`. */
  const register = async (linked: LinkedNetwork) =>
    code(registerCore(await ports(linked), 'alice', secrets).then((core) => core.close()));
  const enter = async (linked: LinkedNetwork): Promise<string> => {
    const core = await openCore(await ports(linked), 'default', secrets);
    const ended = await code(core.connect());
    await core.close();
    return ended;
  };
  const kept = (): string | undefined => fromUtf8(storage.files.get(FILE) ?? new Uint8Array(0))?.trim();
  return { daemon, storage, old, next, both, register, enter, kept };
}

test('before the daemon is restarted the current generation is used, and nothing is kept', async (t) => {
  const { daemon, both, register, kept } = await setUp();
  t.equal(await register(both), 'done');
  t.equal(daemon.connections, 2, 'the next one was tried, once');
  t.equal(kept(), '');
});

test('the next one, once it worked, is the only one', async (t) => {
  const { daemon, old, next, both, register, enter, kept } = await setUp();
  daemon.generations = [old, next];
  t.equal(await register(both), 'done');
  t.equal(daemon.connections, 1);
  t.equal(kept(), '{"format":1,"newest":2}', 'kept in the profile');
  t.equal(await enter(both), 'done');

  daemon.generations = [old]; // whoever has stolen the retired key
  daemon.connections = 0;
  t.equal(await enter(both), 'no-answer');
  t.equal(daemon.connections, 1, 'no second try under the old key');
  t.equal(await enter(daemon.linked), 'old-keys', 'nor by an older client on the same profile');
  t.equal(daemon.connections, 1, 'which does not even connect');

  daemon.generations = [next]; // after the retirement
  t.equal(await enter(both), 'done');
  t.equal(await enter({ ...both, ...linkedWith(2, next) }), 'done', 'and with a client linked after it');
});

test('a client that was linked before goes on until the retirement, then is not answered', async (t) => {
  const { daemon, old, next, both, register, enter, kept } = await setUp();
  daemon.generations = [old, next];
  t.equal(await register(daemon.linked), 'done');
  t.equal(await enter(daemon.linked), 'done');
  t.equal(kept(), '');
  daemon.generations = [next];
  t.equal(await enter(daemon.linked), 'no-answer');
  t.equal(await enter(both), 'done', 'the same profile with a new client');
});

test('the old one is not tried where the daemon is silent without closing', async (t) => {
  const { daemon, both, storage } = await setUp();
  const clock = new MovableClock();
  const made = await daemon.ports(storage, clock);
  let connections = 0;
  const ports: ClientPorts = {
    ...made,
    linked: both,
    connect: async (to) => {
      connections++;
      const connection = await made.connect(to);
      connection.write = () => {
        clock.forward(15_000);
      };
      return connection;
    },
  };
  t.equal(await code(registerCore(ports, 'alice', secrets)), 'no-answer');
  t.equal(connections, 1);
});

test('what can’t be kept is not used', async (t) => {
  const { daemon, storage, old, next, both, register } = await setUp();
  daemon.generations = [old, next];
  storage.before = (what) => {
    if (what.includes(FILE)) throw new Error('disk full');
  };
  t.equal(await register(both), 'storage');
  t.equal(daemon.accounts.size, 0);
});

test('a damaged file is no reason to begin with the first generation', async (t) => {
  const { daemon, storage, both, register } = await setUp();
  for (const bytes of [
    '',
    '{',
    'null',
    '{"format":2,"newest":2}',
    '{"format":1,"newest":0}',
    '{"format":1,"newest":1.5}',
  ]) {
    storage.files.set(FILE, utf8(bytes));
    t.equal(await register(both), 'damaged-generation', bytes);
  }
  t.equal(daemon.connections, 0);
});

test('later epochs are for the key of the generation that the link is under', async (t) => {
  const { daemon, storage, old, next, both } = await setUp();
  daemon.generations = [old, next];
  const clock = new MovableClock();
  const made = await daemon.ports(storage, clock);
  const core = await registerCore({ ...made, linked: both }, 'alice', secrets);
  for (let hours = 0; hours < 3; hours++) {
    clock.forward(61 * 60_000);
    for (let n = 0; n < 3; n++) await core.call('contacts', { check: true });
    t.equal(await code(core.call('add', { name: `nobody_${String(hours)}` })), 'unknown-name');
    t.equal(await code(core.call('add', { name: `nobody_${String(hours)}` })), 'unknown-name');
  }
  t.equal((await core.call('status', {})).session, 'online');
  t.equal(daemon.connections, 1, 'on the connection of the beginning');
  await core.close();
});
