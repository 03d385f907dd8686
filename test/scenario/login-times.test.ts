/**
 * Case 10, measured: the times of the answers to an unknown name, a wrong signature and a wrong password
 * come from one distribution, as far as TRIES tries each can tell.
 */
import { test } from 'tap';
import { Code, loginMessage, Label, structs } from '../../protocol/index.js';
import { generateRsa, nodeSync, passwordClient } from '../../src/crypto/index.js';
import { makeNetwork, type Daemon } from '../support/daemon.js';
import { critical, distance, quantile } from '../support/distributions.js';
import { Draws } from '../support/draws.js';
import { connected, startLavish } from '../support/people.js';
import { newSeed } from '../support/random.js';
import { makeUser, ports, registerUser, type RawUser } from '../support/raw.js';

const TRIES = Number(process.env['TRIES'] ?? 1_000);
/** Tries under way at once: most of each is waiting for the daemon's pace. */
const LANES = 8;
/** Logins that one connection may try, and that an account takes before its owner has to wait. */
const TRIES_PER_CONNECTION = 3;
const TRIES_PER_ACCOUNT = 9;
/** Of a difference by chance, for each of the comparisons. */
const PROBABILITY = 1e-5;

const kinds = ['unknown name', 'wrong signature', 'wrong password'] as const;
type Kind = (typeof kinds)[number];

interface Times {
  readonly first: number[];
  readonly second: number[];
}

test('distances of samples', (t) => {
  const draws = new Draws(7);
  const sample = (shift: number): number[] => Array.from({ length: 1000 }, () => draws.below(1000) + shift);
  t.ok(distance(sample(0), sample(0)) < critical(1000, 1000, PROBABILITY), 'of one distribution');
  t.ok(distance(sample(0), sample(150)) > critical(1000, 1000, PROBABILITY), 'shifted by a seventh of its width');
  t.equal(distance([1, 2], [1, 2]), 0);
  t.equal(distance([1, 2], [3, 4]), 1);
  t.end();
});

const seed = newSeed();

test(`case 10: ${String(TRIES)} tries of each kind take the same time, SEED=${String(seed)}`, async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const users = await accounts(t, daemon, Math.ceil(TRIES / TRIES_PER_ACCOUNT));
  const password = await passwordClient();
  const wrong = await generateRsa();
  const left = new Draws(seed).shuffled(
    kinds.flatMap((kind) => Array.from({ length: TRIES }, (_, i) => ({ kind, i }))),
  );
  const times = new Map<Kind, Times>(kinds.map((kind) => [kind, { first: [], second: [] }]));

  async function tries(): Promise<void> {
    const raw = await connected(t, daemon);
    for (let n = 0; n < TRIES_PER_CONNECTION; n++) {
      const next = left.pop();
      const user = next && users[Math.floor(next.i / TRIES_PER_ACCOUNT)];
      if (!user) break;
      const name = next.kind === 'unknown name' ? `nobody_${String(next.i)}` : user.name;
      const { ke1 } = password.loginStart('not the password');
      const key = next.kind === 'wrong signature' ? wrong : user.sig;
      const signature = await ports.asymmetric.pssSign(key, Label.login, loginMessage(raw.session.th2, name, ke1));
      const began = performance.now();
      const first = await raw.ask(structs.auth1, { name, signature, ke1 });
      const proceeded = performance.now();
      const second = await raw.ask(structs.auth2, { ke3: nodeSync.random(64) });
      const ended = performance.now();
      if (first.header.code !== Code.proceed || second.header.code !== Code.authentication)
        throw new Error(`${next.kind}: ${String(first.header.code)}, ${String(second.header.code)}`);
      times.get(next.kind)?.first.push(proceeded - began);
      times.get(next.kind)?.second.push(ended - proceeded);
    }
    raw.close();
  }
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      while (left.length > 0) await tries();
    }),
  );

  for (const which of ['first', 'second'] as const) {
    for (const [at, kind] of kinds.entries()) {
      const own = times.get(kind)?.[which] ?? [];
      const shown = [0.1, 0.5, 0.9, 0.99].map((q) => quantile(own, q).toFixed(2)).join(' / ');
      t.comment(`${which} answer, ${kind}: ${shown} ms (10, 50, 90, 99 %)`);
      t.equal(own.length, TRIES);
      const other = kinds[(at + 1) % kinds.length] ?? kind;
      const apart = distance(own, times.get(other)?.[which] ?? []);
      const limit = critical(TRIES, TRIES, PROBABILITY);
      t.ok(apart < limit, `${which} answer, ${kind} and ${other}: ${apart.toFixed(3)} below ${limit.toFixed(3)}`);
    }
  }
});

async function accounts(t: Parameters<typeof connected>[0], daemon: Daemon, count: number): Promise<RawUser[]> {
  const users: RawUser[] = [];
  const raw = await connected(t, daemon);
  for (let i = 0; i < count; i++) {
    const user = await makeUser(`user_${String(i)}`);
    const { header } = await registerUser(raw, user);
    if (header.code !== Code.done) throw new Error(`crea: ${String(header.code)}`);
    users.push(user);
  }
  raw.close();
  return users;
}
