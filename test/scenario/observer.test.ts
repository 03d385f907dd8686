/** What somebody learns who records a whole conversation between two clients and a daemon, without TLS around it. */
import { join } from 'node:path';
import { test } from 'tap';
import { answerHello, Code, FRAME, linkedKeys, openHello, openInner } from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, rsaPrivate } from '../../src/crypto/index.js';
import { loadNetwork } from '../../src/keys/network.js';
import { CliUser } from '../support/cli.js';
import { makeNetwork, type Daemon } from '../support/daemon.js';
import { startLavish } from '../support/people.js';
import { relayTo, type Relay } from '../support/relay.js';

const text = 'meet me at the fountain at noon, bring the papers';

async function recorded(t: Parameters<typeof relayTo>[0]): Promise<{ daemon: Daemon; relay: Relay }> {
  const network = await makeNetwork();
  const daemon = await startLavish(t, { network });
  const relay = await relayTo(t, daemon, false);
  const where = { ...daemon, port: relay.port };
  const alice = await CliUser.make(t, { network, where, name: 'alice' });
  const bob = await CliUser.make(t, { network, where, name: 'bobby' });
  await alice.ask('register', '@alice');
  await bob.ask('register', '@bobby');
  await alice.ask('add', '@bobby');
  await bob.ask('accept', '@alice');
  await alice.ask('send', '@bobby', text);
  await alice.ask('send', '@bobby', text.repeat(60));
  await bob.ask('receive');
  return { daemon, relay };
}

/** So far from evenly spread bytes, in standard deviations. */
function unevenness(bytes: Buffer): number {
  const counts = new Array<number>(256).fill(0);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  const expected = bytes.length / 256;
  const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return Math.abs(chi - 255) / Math.sqrt(2 * 255);
}

test('an observer sees frames of one size, of random bytes', async (t) => {
  const { daemon, relay } = await recorded(t);
  const { linked } = daemon.network;
  const known = ['alice', 'bobby', text.slice(0, 16), 'password', 'cadenas', 'fountain'].map((one) => Buffer.from(one));
  const keys = [linked.networkKey, linked.serverModulus.slice(0, 32), linked.software].map((one) =>
    Buffer.from(one, 'hex'),
  );
  const blocks = new Set<string>();
  let count = 0;
  for (const [side, chunks] of [
    ['from the clients', relay.fromClient],
    ['from the daemon', relay.fromDaemon],
  ] as const) {
    const all = Buffer.concat(chunks);
    t.ok(
      all.length > 20 * FRAME && all.length % FRAME === 0,
      `${side}: ${String(all.length / FRAME)} frames, nothing else`,
    );
    for (const one of [...known, ...keys])
      t.notOk(all.includes(one), `${side}: ${known.includes(one) ? one.toString() : 'a key'}`);
    t.ok(unevenness(all) < 6, `${side}: bytes are evenly spread (${unevenness(all).toFixed(1)} deviations)`);
    for (let at = 0; at < all.length; at += 16, count++) blocks.add(all.toString('latin1', at, at + 16));
  }
  t.equal(blocks.size, count, 'no block of 16 bytes comes twice: not even the slots, which are the same inside');
});

test('who gets the server’s keys later opens what made the link, and no frame behind it', async (t) => {
  const { daemon, relay } = await recorded(t);
  const files = loadNetwork(join(daemon.network.keys, daemon.network.name));
  const bytes = Buffer.concat(relay.fromClient);
  const serverPrivate = rsaPrivate(files.serverPrivate);
  const binding = { transport: 0, exporter: new Uint8Array(32) } as const;
  const generation = { ...linkedKeys(daemon.network.linked), serverPrivate };
  const hello = openHello(nodeSync, [generation], binding, bytes.subarray(0, FRAME));
  if (!hello) throw new Error('the HELLO does not open');
  const inner = await openInner({ sync: nodeSync, asymmetric: nodeAsymmetric }, serverPrivate, hello, () => Code.done);
  if (!inner) throw new Error('its inside does not open');
  t.equal(inner.client.build, daemon.network.linked.build, 'it says which build the client is');
  const { session } = answerHello(nodeSync, hello, inner, { window: 1 }, Date.now());
  let opened = 0;
  t.notOk(session?.receive.push(bytes.subarray(FRAME, 2 * FRAME), () => ++opened > 0));
  t.equal(opened, 0, 'the shares of both sides are gone');
});
