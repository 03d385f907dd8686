/** rotate and retire: what is in the folder after each step that a run can be cut off at. */
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tap, { test, type Test } from 'tap';
import { hex } from '../../protocol/index.js';
import { buildNetwork } from '../../src/keys/build.js';
import { hostsOf } from '../../src/keys/certificate.js';
import { nodeSteps, type FolderSteps } from '../../src/keys/folder-steps.js';
import { linkedNetwork } from '../../src/keys/link.js';
import { loadNetwork, type NetworkFiles } from '../../src/keys/network.js';
import { finishRetirement, retireNetwork, rotateNetwork } from '../../src/keys/rotation.js';

const FILES = ['network.json', 'secrets.json', 'server.key', 'tls.crt', 'tls.key'];

/** One network built and one rotated for the whole file; each test works on copies. */
const built = tap.testdir();
await buildNetwork({ network: 'home', keys: built, hosts: ['chat.example.org', '192.0.2.7'] });
const rotated = join(built, 'rotated');
mkdirSync(rotated);
cpSync(join(built, 'home'), join(rotated, 'home'), { recursive: true });
await rotateNetwork({ network: 'home', keys: rotated, hosts: ['new.example.org'] });

function copy(t: Test, of: string): { keys: string; folder: string } {
  const keys = t.testdir();
  const folder = join(keys, 'home');
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(of, 'home'), folder, { recursive: true });
  return { keys, folder };
}

const rotate = (keys: string, steps?: FolderSteps) => rotateNetwork({ network: 'home', keys, hosts: [] }, steps);
const publicPart = ({ generation, serverModulus, networkKey, pins }: NetworkFiles) => ({
  generation,
  serverModulus: hex(serverModulus),
  networkKey: hex(networkKey),
  pins,
});

class Crash extends Error {}

/** Everything as always, until the power goes before step `at`, or in the middle of it where it writes. */
function crashing(at: number, half: boolean): FolderSteps {
  let step = 0;
  const limited =
    <A extends readonly unknown[]>(run: (...args: A) => void, torn?: (...args: A) => void) =>
    (...args: A): void => {
      step++;
      if (step === at && half) torn?.(...args);
      if (step >= at) throw new Crash();
      run(...args);
    };
  return {
    makeFolder: limited(nodeSteps.makeFolder),
    writeNew: limited(nodeSteps.writeNew, (path, content) => {
      writeFileSync(path, content.slice(0, content.length / 2), { mode: 0o600 });
    }),
    rename: limited(nodeSteps.rename),
    removeFile: limited(nodeSteps.removeFile),
    removeFolder: limited(nodeSteps.removeFolder),
    sync: limited(nodeSteps.sync),
  };
}

/** Whether the run was cut off before its end. */
async function isCut(run: () => unknown): Promise<boolean> {
  try {
    await run();
    return false;
  } catch (error) {
    if (error instanceof Crash) return true;
    throw error;
  }
}

test('rotate: the next generation stands beside the current one', (t) => {
  const { folder } = copy(t, rotated);
  const [before, after] = [loadNetwork(join(built, 'home')), loadNetwork(folder)];
  t.same({ ...after, next: 0 }, { ...before, next: 0 }, 'the current one is as it was');
  t.equal(after.next?.generation, 2);
  for (const field of ['networkKey', 'serverModulus', 'pins'] as const)
    t.strictNotSame(after.next?.[field], before[field], `another ${field}`);
  t.same(hostsOf(after.next?.tls?.certPem ?? ''), ['chat.example.org', '192.0.2.7', 'new.example.org'], 'hosts go on');
  t.same(readdirSync(folder).sort(), [...FILES, 'next'].sort());
  t.equal(statSync(join(folder, 'next')).mode & 0o777, 0o700);
  for (const name of FILES) t.equal(statSync(join(folder, 'next', name)).mode & 0o777, 0o600, name);
  const linked = linkedNetwork(folder, 'home');
  t.match(linked, { generation: 1, next: { generation: 2 }, pins: [...before.pins, ...(after.next?.pins ?? [])] });
  t.equal(linked.next?.serverModulus, hex(after.next?.serverModulus ?? new Uint8Array(0)));
  t.end();
});

test('rotate: never over a next generation, nor over keys that are not sound', async (t) => {
  const { keys, folder } = copy(t, rotated);
  const before = readFileSync(join(folder, 'next/server.key'), 'utf8');
  await t.rejects(rotate(keys), { name: 'KeysRefusal', message: /has a next generation of keys already/ });
  t.equal(readFileSync(join(folder, 'next/server.key'), 'utf8'), before);
  for (const name of FILES) {
    const path = join(folder, 'next', name);
    const whole = readFileSync(path);
    rmSync(path);
    t.throws(() => loadNetwork(folder), { name: 'KeysRefusal', message: /next\/.* is missing; restore/ }, name);
    writeFileSync(path, whole, { mode: 0o600 });
  }
  chmodSync(join(folder, 'next'), 0o755);
  t.throws(() => loadNetwork(folder), { name: 'KeysRefusal', message: /next is open to others/ });
  rmSync(join(folder, 'next'), { recursive: true });
  cpSync(join(built, 'home'), join(folder, 'next'), { recursive: true });
  t.throws(() => loadNetwork(folder), { name: 'KeysRefusal', message: /not the next generation of these keys/ });
});

test('rotate: cut off at any step, the folder works as before and is rotated by the next run', async (t) => {
  const { keys, folder } = copy(t, built);
  const before = publicPart(loadNetwork(folder));
  let cuts = 0;
  for (let at = 1, goesOn = true; goesOn; at++) {
    for (const half of [false, true]) {
      goesOn = await isCut(() => rotate(keys, crashing(at, half)));
      const now = loadNetwork(folder);
      t.same(publicPart(now), before, `cut off at step ${String(at)}`);
      if (!goesOn || now.next) break;
      cuts++;
    }
    if (loadNetwork(folder).next) break; // the rename is behind: what remains is to sync and tidy
  }
  t.ok(cuts >= 14, `${String(cuts)} cuts before the next generation was there`);
  t.ok(
    readdirSync(folder).some((name) => name.endsWith('.tmp')),
    'cut runs leave something',
  );
  rmSync(join(folder, 'next'), { recursive: true });
  await rotate(keys);
  t.same(readdirSync(folder).sort(), [...FILES, 'next'].sort(), 'and the next run tidies it');
});

test('retire: cut off at any step, one of the two is current, and the next run finishes', async (t) => {
  const pristine = loadNetwork(join(rotated, 'home'));
  const wanted = FILES.map((name) => readFileSync(join(rotated, 'home/next', name), 'utf8'));
  let [cuts, early, late] = [0, 0, 0];
  for (let at = 1, goesOn = true; goesOn; at++) {
    for (const half of [false, true]) {
      const { folder } = copy(t, rotated);
      goesOn = await isCut(() => retireNetwork(folder, 'home', crashing(at, half)));
      if (goesOn) cuts++;
      const now = loadNetwork(folder);
      const modulus = hex(now.serverModulus);
      if (now.next) {
        early++;
        t.same(publicPart(now), publicPart(pristine), `${String(at)}: as before`);
        retireNetwork(folder, 'home');
      } else {
        late++;
        t.equal(modulus, hex(pristine.next?.serverModulus ?? new Uint8Array(0)), `${String(at)}: as after`);
        finishRetirement(folder);
      }
      t.same(
        readdirSync(folder)
          .filter((name) => !name.endsWith('.tmp'))
          .sort(),
        FILES,
      );
      t.same(
        FILES.map((name) => readFileSync(join(folder, name), 'utf8')),
        wanted,
        'what was next is current',
      );
      t.equal(loadNetwork(folder).generation, 2);
    }
  }
  t.ok(early > 0 && late > 30, `${String(cuts)} cuts`);
});

test('retire: nothing of the old private keys is left, and what is damaged is not promoted', async (t) => {
  const { keys, folder } = copy(t, rotated);
  const old = ['server.key', 'tls.key'].map((name) => readFileSync(join(folder, name), 'utf8'));
  writeFileSync(join(folder, 'next/tls.key'), 'x');
  t.throws(() => retireNetwork(folder, 'home'), { name: 'KeysRefusal', message: /tls\.key is damaged/ });
  rmSync(join(folder, 'next'), { recursive: true });
  t.throws(() => retireNetwork(folder, 'home'), {
    name: 'KeysRefusal',
    message: /no next generation of keys; make one/,
  });
  await rotate(keys);
  t.match(retireNetwork(folder, 'home'), { current: { generation: 1 }, next: { generation: 2 } });
  const left = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  for (const { parentPath, name } of left) {
    const text = readFileSync(join(parentPath, name), 'utf8');
    t.notOk(old.includes(text), name);
  }
  t.match(await rotate(keys), { current: { generation: 2 }, next: { generation: 3 } }, 'and so on');
});
