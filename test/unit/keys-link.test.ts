import { createHash, createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'tap';
import { fromHex, type LinkedNetwork } from '../../protocol/index.js';
import { buildNetwork } from '../../src/keys/build.js';
import { clientEntry, linkClient } from '../../src/keys/link.js';
import { loadNetwork } from '../../src/keys/network.js';
import { thisProgram } from '../../src/keys/program.js';
import { rotateNetwork } from '../../src/keys/rotation.js';

/** A client that says what it was linked with, and ends with the number it is given. */
const STAND_IN = `export async function main(linked, argv) {
  console.log(JSON.stringify({ linked, argv }));
  return Number(argv[0]);
}`;

const encodings: readonly (readonly [string, (bytes: Buffer) => string])[] = [
  ['raw', (b) => b.toString('latin1')],
  ['hex', (b) => b.toString('hex')],
  ['HEX', (b) => b.toString('hex').toUpperCase()],
  ['hex with colons', (b) => (b.toString('hex').match(/../g) ?? []).join(':')],
  ['decimal list', (b) => [...b].join(',')],
  ['spaced list', (b) => [...b].join(', ')],
  ['hexadecimal list', (b) => [...b].map((byte) => `0x${byte.toString(16)}`).join(',')],
  ['number', (b) => BigInt(`0x${b.toString('hex')}`).toString()],
  ['percent', (b) => [...b].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')],
  ['escapes', (b) => [...b].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')],
  // Base64 reads three bytes at a time: a value inside a longer one begins at any of three places.
  ...[0, 1, 2].flatMap((shift) =>
    (['base64', 'base64url'] as const).map(
      (name) =>
        [
          `${name} +${String(shift)}`,
          (b: Buffer) => {
            const rest = b.subarray(shift);
            return rest.subarray(0, rest.length - (rest.length % 3)).toString(name);
          },
        ] as const,
    ),
  ),
];

/** The names of the encodings in which the text (read as latin-1) holds the value, or a 16-byte part of it. */
function findings(text: string, value: Buffer): string[] {
  const parts = [value];
  for (let at = 0; at + 16 <= value.length && value.length > 16; at += 16) parts.push(value.subarray(at, at + 16));
  return encodings.filter(([, write]) => parts.some((part) => text.includes(write(part)))).map(([name]) => name);
}

/** Every value of a network's folder that must stay there. */
function privateValues(folder: string): ReadonlyMap<string, Buffer> {
  const files = loadNetwork(folder);
  const values = new Map<string, Buffer>([
    ['decoy secret', Buffer.from(files.decoySecret)],
    ['OPAQUE setup', Buffer.from(files.opaqueSetup, 'base64url')],
  ]);
  for (const name of ['server.key', 'tls.key']) {
    const jwk = createPrivateKey(readFileSync(join(folder, name))).export({ format: 'jwk' });
    for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const)
      values.set(`${name} ${part}`, Buffer.from(jwk[part] ?? '', 'base64url'));
  }
  return values;
}

/** Whole texts: as PEM, PEM in one line, as a JavaScript literal, and DER in base64. */
function privateTexts(folder: string): readonly string[] {
  const pems = ['server.key', 'tls.key'].map((name) => readFileSync(join(folder, name), 'utf8'));
  const bodies = pems.map((pem) => pem.replace(/-----[^-]+-----/g, '').replace(/\s/g, ''));
  return [
    loadNetwork(folder).opaqueSetup,
    ...pems,
    ...pems.map((pem) => JSON.stringify(pem).slice(1, -1)),
    ...bodies,
    ...bodies.map((body) => Buffer.from(body, 'base64').toString('hex')),
    ...pems.flatMap((pem) => pem.split('\n').slice(2, -3)), // without the first lines, which hold the public modulus, too
  ];
}

function everything(out: string): string {
  return readdirSync(out)
    .map((name) => readFileSync(join(out, name), 'latin1'))
    .join('\n');
}

const entries: readonly (readonly [string, string | undefined])[] = [
  ['a stand-in', STAND_IN],
  ['the real client', undefined],
];
for (const [what, source] of entries)
  test(`nothing private is in what is handed out: ${what}`, async (t) => {
    const dir = t.testdir(source === undefined ? {} : { 'entry.mjs': source });
    const entry = source === undefined ? clientEntry : join(dir, 'entry.mjs');
    const folder = await buildNetwork({ network: 'home', keys: join(dir, 'keys'), hosts: [] });
    await rotateNetwork({ network: 'home', keys: join(dir, 'keys'), hosts: [] });
    const out = join(dir, 'out');
    await linkClient({ network: 'home', keys: join(dir, 'keys'), out, entry });
    t.same(readdirSync(out).sort(), ['README.txt', 'cadenas.mjs', 'linked.json']);
    const handedOut = everything(out);

    const networkKey = Buffer.from(loadNetwork(folder).networkKey);
    t.same(findings(handedOut, networkKey), ['hex'], 'the search finds the network key, which belongs there');
    const values = [...privateValues(folder), ...privateValues(join(folder, 'next'))];
    t.equal(values.length, 28);
    for (const [name, value] of values) {
      t.ok(value.length >= 32, `${name} is a value`);
      t.same(findings(handedOut, value), [], name);
      for (const [encoding, write] of encodings)
        t.ok(findings(`x${write(value)}x`, value).includes(encoding), `${name} would be found: ${encoding}`);
    }
    for (const text of [...privateTexts(folder), ...privateTexts(join(folder, 'next'))])
      t.notOk(handedOut.includes(text), 'no private text');
  });

test('a linked client runs by itself with its network', async (t) => {
  const dir = t.testdir({ 'entry.mjs': STAND_IN, elsewhere: {} });
  const keys = join(dir, 'keys');
  const files = loadNetwork(await buildNetwork({ network: 'home', keys, hosts: [] }));
  const made = await linkClient({ network: 'home', keys, out: join(dir, 'out'), entry: join(dir, 'entry.mjs') });
  t.equal(made.path, join(dir, 'out/cadenas.mjs'));
  t.equal(statSync(made.path).mode & 0o777, 0o755);
  t.equal(made.sha256, createHash('sha256').update(readFileSync(made.path)).digest('hex'));

  const run = spawnSync(made.path, ['7', '--x'], { cwd: join(dir, 'elsewhere'), encoding: 'utf8' });
  t.equal(run.stderr, '');
  t.equal(run.status, 7);
  const said = JSON.parse(run.stdout) as { linked: LinkedNetwork; argv: string[] };
  t.same(said.argv, ['7', '--x']);
  t.same(said.linked, made.linked);
  t.same(Object.keys(said.linked).sort(), [
    'build',
    'generation',
    'network',
    'networkKey',
    'pins',
    'serverModulus',
    'software',
    'table',
    'version',
  ]);
  t.same(fromHex(said.linked.networkKey), files.networkKey);
  t.same(fromHex(said.linked.serverModulus), files.serverModulus);
  t.same(fromHex(said.linked.software), files.software);
  t.same(fromHex(said.linked.table), thisProgram().table);
  t.same(said.linked.pins, files.pins);
});

test('the packages of the client work in one file', async (t) => {
  const crypto = new URL('../../src/crypto/index.js', import.meta.url).href;
  const dir = t.testdir({
    'entry.mjs': `import { createRequire } from 'node:module';
import { passwordClient, nodeAsymmetric } from ${JSON.stringify(new URL(crypto).pathname)};
export async function main() {
  const password = await passwordClient();
  const { ke1 } = password.loginStart('secret');
  const stretched = await password.stretch('secret', new Uint8Array(16));
  const { encapsulationKey } = await nodeAsymmetric.mlkem();
  console.log(ke1.length, stretched.length, encapsulationKey.length, typeof createRequire);
  return 0;
}`,
  });
  const keys = join(dir, 'keys');
  await buildNetwork({ network: 'home', keys, hosts: [] });
  const { path } = await linkClient({ network: 'home', keys, out: join(dir, 'out'), entry: join(dir, 'entry.mjs') });
  const run = spawnSync(process.execPath, [path], { cwd: '/', encoding: 'utf8' });
  t.same([run.stdout, run.stderr, run.status], ['96 32 1184 function\n', '', 0]);
});

test('two links of one tree are equal, and another network is not overwritten', async (t) => {
  const dir = t.testdir({ 'entry.mjs': STAND_IN, file: 'x' });
  const keys = join(dir, 'keys');
  const entry = join(dir, 'entry.mjs');
  for (const network of ['home', 'work']) await buildNetwork({ network, keys, hosts: [] });
  const one = await linkClient({ network: 'home', keys, out: join(dir, 'a/b'), entry });
  const other = await linkClient({ network: 'home', keys, out: join(dir, 'c'), entry });
  t.equal(one.sha256, other.sha256);
  t.ok(readFileSync(one.path).equals(readFileSync(other.path)));
  t.equal((await linkClient({ network: 'home', keys, out: join(dir, 'c'), entry })).sha256, one.sha256, 'linked again');

  await t.rejects(linkClient({ network: 'work', keys, out: join(dir, 'c'), entry }), {
    name: 'KeysRefusal',
    message: /is not a client of network work; choose another --out/,
  });
  t.ok(readFileSync(other.path).equals(readFileSync(one.path)), 'untouched');
  writeFileSync(other.path, 'something else');
  await t.rejects(linkClient({ network: 'home', keys, out: join(dir, 'c'), entry }), { name: 'KeysRefusal' });
  t.equal(readFileSync(other.path, 'utf8'), 'something else');
});

test('what can not be linked is one line', async (t) => {
  const dir = t.testdir({ 'entry.mjs': STAND_IN, file: 'x' });
  const keys = join(dir, 'keys');
  const entry = join(dir, 'entry.mjs');
  const link = (change: object) => linkClient({ network: 'home', keys, out: join(dir, 'out'), entry, ...change });
  await t.rejects(link({}), { name: 'KeysRefusal', message: /does not exist; make the keys with/ });
  await buildNetwork({ network: 'home', keys, hosts: [] });
  await t.rejects(link({ out: join(dir, 'file') }), { name: 'KeysRefusal', message: /is not a folder/ });
  await t.rejects(link({ entry: join(dir, 'none.mjs') }), { name: 'KeysRefusal', message: /not compiled/ });
  await t.rejects(link({ network: '../home' }), { name: 'KeysRefusal', message: /a network is named by/ });
  renameSync(join(keys, 'home'), join(keys, 'other'));
  await t.rejects(link({ network: 'other' }), {
    name: 'KeysRefusal',
    message: /holds the keys of network home; rename/,
  });
  t.same(readdirSync(dir).sort(), ['entry.mjs', 'file', 'keys'], 'nothing was written');
});
