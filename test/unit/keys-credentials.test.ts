/** Private keys that a service manager hands over, in the place of the files of a network's folder. */
import { chmodSync, chownSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tap, { test, type Test } from 'tap';
import { buildNetwork } from '../../src/keys/build.js';
import { readSecretFile } from '../../src/keys/credentials.js';
import { ensureTlsCertificate, loadNetwork } from '../../src/keys/network.js';
import { rotateNetwork } from '../../src/keys/rotation.js';
import { copyTree, temporaryFolder } from '../support/temp.js';

const PRIVATE = ['server.key', 'secrets.json', 'tls.key'];

/** With a next generation; each test works on a copy. */
const keys = tap.testdir();
const original = await buildNetwork({ network: 'home', keys, hosts: [] });
await rotateNetwork({ network: 'home', keys, hosts: [] });
const whole = loadNetwork(original);

interface Lab {
  readonly folder: string;
  readonly credentials: string;
}

/** All private files are credentials, 0400 as systemd makes them. */
async function lab(t: Test): Promise<Lab> {
  const both = await temporaryFolder(t);
  const [folder, credentials] = [join(both, 'home'), join(both, 'credentials')];
  copyTree(original, folder);
  mkdirSync(credentials, { mode: 0o700 });
  for (const name of PRIVATE) {
    renameSync(join(folder, name), join(credentials, name));
    renameSync(join(folder, 'next', name), join(credentials, `next.${name}`));
  }
  for (const name of PRIVATE.flatMap((each) => [each, `next.${each}`])) chmodSync(join(credentials, name), 0o400);
  return { folder, credentials };
}

const refusal = (message: RegExp) => ({ name: 'KeysRefusal', message });

test('private files are read from the credentials, of both generations, and from nowhere else', async (t) => {
  const { folder, credentials } = await lab(t);
  t.same(loadNetwork(folder, credentials), whole);
  t.throws(
    () => loadNetwork(folder),
    refusal(/home\/secrets\.json is missing; restore it .*, or hand it over as the credential secrets\.json$/),
  );
  rmSync(join(credentials, 'next.server.key'));
  t.throws(
    () => loadNetwork(folder, credentials),
    refusal(/next\/server\.key is missing; .* credential next\.server\.key$/),
  );
});

test('a promoted generation goes on being the next one by the names of its credentials', async (t) => {
  const { folder, credentials } = await lab(t);
  renameSync(join(folder, 'next'), join(folder, 'promoted'));
  const { next, ...current } = loadNetwork(folder, credentials);
  t.equal(next, undefined);
  t.equal(current.generation, whole.generation + 1);
});

test('a credential goes before the file, and must fit the rest', async (t) => {
  const { folder, credentials } = await lab(t);
  writeFileSync(join(folder, 'server.key'), 'old', { mode: 0o600 });
  t.same(loadNetwork(folder, credentials), whole);
  renameSync(join(credentials, 'next.server.key'), join(credentials, 'server.key'));
  t.throws(
    () => loadNetwork(folder, credentials),
    refusal(/credentials\/server\.key .*not the key that network\.json names/),
  );
});

test('some may be credentials, some files; other credentials are nobody’s concern', async (t) => {
  const { folder, credentials } = await lab(t);
  for (const name of ['secrets.json', 'tls.key']) {
    writeFileSync(join(folder, name), readFileSync(join(credentials, name)), { mode: 0o600 });
    rmSync(join(credentials, name));
  }
  writeFileSync(join(credentials, 'tls.crt'), 'none of ours');
  t.same(loadNetwork(folder, credentials), whole);
});

test('modes and owners: as systemd gives them, and no wider', async (t) => {
  const { folder, credentials } = await lab(t);
  const file = join(credentials, 'server.key');
  for (const mode of [0o400, 0o440, 0o600]) {
    chmodSync(file, mode);
    t.ok(loadNetwork(folder, credentials), mode.toString(8));
  }
  for (const mode of [0o404, 0o444, 0o460, 0o500]) {
    chmodSync(file, mode);
    t.throws(() => loadNetwork(folder, credentials), refusal(/server\.key is open to others; have/), mode.toString(8));
  }
  chmodSync(file, 0o400);
  if (process.geteuid?.() === 0) {
    chownSync(file, 4711, 0);
    t.throws(() => loadNetwork(folder, credentials), refusal(/server\.key belongs to another user; /));
    chownSync(file, 0, 0);
  }
  renameSync(file, join(credentials, 'elsewhere'));
  symlinkSync('elsewhere', file);
  t.throws(() => loadNetwork(folder, credentials), refusal(/server\.key is a symbolic link; /));
});

test('a folder of credentials that is none', async (t) => {
  const { folder, credentials } = await lab(t);
  t.throws(() => loadNetwork(folder, 'credentials'), refusal(/^\$CREDENTIALS_DIRECTORY is no absolute path; /));
  for (const path of [join(credentials, 'none'), join(credentials, 'server.key')])
    t.throws(() => loadNetwork(folder, path), refusal(/^\$CREDENTIALS_DIRECTORY, .*, is no folder; /));
});

test('a certificate is made for a key that is a credential', async (t) => {
  const { folder, credentials } = await lab(t);
  rmSync(join(folder, 'tls.crt'));
  t.equal(await ensureTlsCertificate(folder, [], credentials), true);
  const { tls, pins } = loadNetwork(folder, credentials);
  t.same([tls?.keyPem, pins], [whole.tls?.keyPem, whole.pins]);
});

test('a password may be a credential', async (t) => {
  const { folder, credentials } = await lab(t);
  for (const path of [join(credentials, 'password'), join(folder, 'password')]) {
    writeFileSync(path, 'p');
    chmodSync(path, 0o440);
  }
  t.same(readSecretFile(join(credentials, 'password'), 'write it', credentials)?.toString(), 'p');
  t.throws(() => readSecretFile(join(credentials, 'password'), 'write it', undefined), refusal(/open to others/));
  t.throws(() => readSecretFile(join(folder, 'password'), 'write it', credentials), refusal(/open to others/));
});
