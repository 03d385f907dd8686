import {
  chmodSync,
  cpSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  chownSync,
} from 'node:fs';
import { join } from 'node:path';
import tap, { test, type Test } from 'tap';
import { buildNetwork } from '../../src/keys/build.js';
import {
  ensureTlsCertificate,
  generateTlsCertificate,
  KeysRefusal,
  loadNetwork,
  spkiPin,
} from '../../src/keys/network.js';

const FILES = ['network.json', 'secrets.json', 'server.key', 'tls.crt', 'tls.key'];

/** One network built for the whole file; each test works on a copy. */
const original = await buildNetwork({ network: 'home', keys: tap.testdir(), hosts: [] });

function copy(t: Test): string {
  const folder = join(t.testdir(), 'home');
  cpSync(original, folder, { recursive: true });
  chmodSync(folder, 0o700);
  return folder;
}

/** One line that says what and, behind a semicolon or in brackets, what to do; no quotation of the file. */
function refuses(t: Test, folder: string, what: RegExp, name: string): void {
  t.throws(() => loadNetwork(folder), { name: 'KeysRefusal', message: what }, name);
  try {
    loadNetwork(folder);
  } catch (error) {
    t.match((error as KeysRefusal).message, /^[^\n]+; [^\n]+$/, `${name}: one line, with what to do`);
  }
}

function edit(path: string, change: Readonly<Record<string, unknown>>): void {
  const value = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...value, ...change }));
}

test('wider than 0700 and 0600', (t) => {
  const folder = copy(t);
  t.ok(loadNetwork(folder), 'the copy itself is fine');
  for (const mode of [0o755, 0o710, 0o701]) {
    chmodSync(folder, mode);
    refuses(t, folder, /open to others .*chmod 0700 /, `folder ${mode.toString(8)}`);
  }
  chmodSync(folder, 0o700);
  for (const name of FILES) {
    chmodSync(join(folder, name), 0o640);
    refuses(t, folder, new RegExp(`${name} is open to others \\(0640\\).*chmod 0600 `), name);
    chmodSync(join(folder, name), 0o400);
    t.ok(loadNetwork(folder), `${name} may be narrower`);
  }
  t.end();
});

test('of another owner', (t) => {
  const folder = copy(t);
  if (process.geteuid?.() !== 0) {
    // Only root can give a file away: everybody else asks whether root's folder would be theirs.
    refuses(t, '/', /belongs to another user/, 'the root folder');
  } else {
    chownSync(join(folder, 'secrets.json'), 65534, 65534);
    refuses(t, folder, /secrets\.json belongs to another user/, 'a file');
    chownSync(folder, 65534, 65534);
    refuses(t, folder, /home belongs to another user/, 'the folder');
  }
  t.end();
});

test('symbolic links', (t) => {
  const folder = copy(t);
  symlinkSync(folder, `${folder}-link`);
  refuses(t, `${folder}-link`, /symbolic link/, 'the folder');
  for (const name of FILES) {
    const path = join(folder, name);
    renameSync(path, `${folder}-file`);
    symlinkSync(`${folder}-file`, path);
    refuses(t, folder, new RegExp(`${name} is a symbolic link`), name);
    rmSync(path);
    renameSync(`${folder}-file`, path);
  }
  t.end();
});

test('missing', (t) => {
  const folder = copy(t);
  refuses(t, join(folder, 'nowhere'), /does not exist; make the keys with: cadenas-keys build/, 'the folder');
  refuses(t, join(folder, 'tls.crt'), /is not a folder/, 'a file for a folder');
  for (const name of FILES) {
    const path = join(folder, name);
    renameSync(path, `${folder}-file`);
    refuses(t, folder, new RegExp(`${name.replace('.', '\\.')} is missing`), name);
    renameSync(`${folder}-file`, path);
  }
  t.end();
});

test('damaged, each in its own way', async (t) => {
  const folder = copy(t);
  const other = await generateTlsCertificate('home', []);
  const damage: readonly (readonly [string, string | Readonly<Record<string, unknown>>, RegExp])[] = [
    ['network.json', '', /no JSON object/],
    ['network.json', '[]', /no JSON object/],
    ['network.json', { format: 2 }, /format 2, newer than this program; install a newer/],
    ['network.json', { format: '1' }, /its format is not 1/],
    ['network.json', { network: '../x' }, /network is not/],
    ['network.json', { created: 'yesterday' }, /created is not/],
    ['network.json', { build: -1 }, /build is not/],
    ['network.json', { build: 2 ** 32 }, /build is not/],
    ['network.json', { table: 'AB'.repeat(32) }, /table is not/],
    ['network.json', { software: '00' }, /software is not/],
    [
      'network.json',
      { serverModulus: '00'.repeat(256) },
      /server\.key is damaged .*not the key that network\.json names/,
    ],
    ['network.json', { pins: ['x'] }, /pins are not/],
    ['network.json', { pins: [] }, /tls\.crt is damaged .*not among the pins/],
    ['network.json', 'x'.repeat(64 * 1024 + 1), /longer than 64 KiB/],
    ['secrets.json', '{"networkKey"', /no JSON object/],
    ['secrets.json', { format: 3 }, /newer than this program/],
    ['secrets.json', { networkKey: '00'.repeat(15) }, /networkKey is not/],
    ['secrets.json', { opaqueSetup: '' }, /opaqueSetup is not/],
    ['secrets.json', { decoySecret: 7 }, /decoySecret is not/],
    ['server.key', 'x', /server\.key is damaged .*no private key/],
    ['server.key', other.keyPem, /not the key that network\.json names/],
    ['tls.key', 'x', /tls\.key is damaged/],
    ['tls.key', other.keyPem, /not the certificate of tls\.key/],
    ['tls.crt', 'x', /no certificate in PEM/],
    ['tls.crt', other.certPem, /not the certificate of tls\.key/],
  ];
  for (const [name, change, what] of damage) {
    const path = join(folder, name);
    const before = readFileSync(path);
    if (typeof change === 'string') writeFileSync(path, change);
    else edit(path, change);
    refuses(t, folder, what, `${name}: ${what.source}`);
    writeFileSync(path, before);
  }
  t.ok(loadNetwork(folder), 'and whole again');
});

test('no TLS files at all is no damage', (t) => {
  const folder = copy(t);
  for (const name of ['tls.key', 'tls.crt']) rmSync(join(folder, name));
  t.equal(loadNetwork(folder).tls, undefined);
  t.end();
});

test('ensureTlsCertificate makes what is missing and never replaces', async (t) => {
  const folder = copy(t);
  const before = loadNetwork(folder);
  t.equal(await ensureTlsCertificate(folder), false);
  t.same(loadNetwork(folder), before, 'nothing changed');

  for (const name of ['tls.key', 'tls.crt']) rmSync(join(folder, name));
  t.equal(await ensureTlsCertificate(folder, ['chat.example.org']), true);
  const made = loadNetwork(folder);
  t.strictNotSame(made.tls, before.tls);
  t.same(made.pins, [spkiPin(made.tls?.certPem ?? '')], 'pinned, the old pin gone');
  t.same({ ...made, tls: 0, pins: 0 }, { ...before, tls: 0, pins: 0 }, 'the rest is untouched');
  for (const name of FILES) t.equal(lstatSync(join(folder, name)).mode & 0o777, 0o600, name);

  rmSync(join(folder, 'tls.crt'));
  t.equal(await ensureTlsCertificate(folder), true, 'a run that was cut off before the certificate');
  const finished = loadNetwork(folder);
  t.equal(finished.tls?.keyPem, made.tls?.keyPem, 'its key is kept');
  t.same(finished.pins, made.pins, 'and so is its pin');
});

test('ensureTlsCertificate refuses a folder that is open', async (t) => {
  const folder = copy(t);
  chmodSync(folder, 0o755);
  await t.rejects(ensureTlsCertificate(folder), KeysRefusal);
});
