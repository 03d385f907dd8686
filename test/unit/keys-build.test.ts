import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { hex } from '../../protocol/index.js';
import { buildNetwork } from '../../src/keys/build.js';
import { generateTlsCertificate } from '../../src/keys/certificate.js';
import { generationWorked, usableGenerations } from '../../src/client/generations.js';
import { linkedNetwork } from '../../src/keys/link.js';
import { accountSecrets, isOfAccounts, KeysRefusal, loadNetwork, spkiPin } from '../../src/keys/network.js';
import { buildNumber, thisProgram } from '../../src/keys/program.js';
import { retireNetwork, rotateNetwork } from '../../src/keys/rotation.js';
import { temporaryFolder } from '../support/temp.js';
import { MemoryStorage } from './client-support.js';

const mode = (path: string): number => statSync(path).mode & 0o777;

test('a network is built complete, for its owner alone', async (t) => {
  const keys = join(t.testdir(), 'keys');
  const folder = await buildNetwork({ network: 'home', keys, hosts: ['chat.example.org'] });
  t.equal(folder, join(keys, 'home'));
  t.equal(mode(keys), 0o700);
  t.equal(mode(folder), 0o700);
  t.same(readdirSync(keys), ['home'], 'no temporary folder stays');
  const names = ['network.json', 'secrets.json', 'server.key', 'tls.crt', 'tls.key'];
  t.same(readdirSync(folder).sort(), names);
  for (const name of names) t.equal(mode(join(folder, name)), 0o600, name);

  const files = loadNetwork(folder);
  t.equal(files.network, 'home');
  t.equal(files.networkKey.length, 16);
  t.equal(files.software.length, 16);
  t.equal(files.decoySecret.length, 32);
  t.equal(files.serverModulus.length, 256);
  t.same(files.table, thisProgram().table);
  const { n } = createPrivateKey({ key: Buffer.from(files.serverPrivate), format: 'der', type: 'pkcs8' }).export({
    format: 'jwk',
  });
  t.equal(Buffer.from(n ?? '', 'base64url').toString('hex'), hex(files.serverModulus));
  t.ok(files.tls);
  t.same(files.pins, [spkiPin(files.tls?.certPem ?? '')]);
});

test('two networks share nothing', async (t) => {
  const keys = t.testdir();
  const [a, b] = await Promise.all(['a', 'b'].map((network) => buildNetwork({ network, keys, hosts: [] })));
  const [one, other] = [loadNetwork(a ?? ''), loadNetwork(b ?? '')];
  for (const field of ['networkKey', 'software', 'serverModulus', 'opaqueSetup', 'decoySecret', 'pins'] as const)
    t.strictNotSame(one[field], other[field], field);
});

test('keys that are there are never overwritten', async (t) => {
  const keys = t.testdir({ old: { 'server.key': 'kept' }, empty: {} });
  for (const network of ['old', 'empty'])
    await t.rejects(buildNetwork({ network, keys, hosts: [] }), {
      name: 'KeysRefusal',
      message: /already.*--network$/,
    });
  t.equal(readFileSync(join(keys, 'old/server.key'), 'utf8'), 'kept');
});

test('of two builders at once, one makes the keys and the other is refused', async (t) => {
  const keys = t.testdir();
  const both = await Promise.allSettled([1, 2].map(() => buildNetwork({ network: 'home', keys, hosts: [] })));
  t.same(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  for (const one of both) if (one.status === 'rejected') t.type(one.reason, KeysRefusal);
  t.same(readdirSync(keys), ['home']);
  t.ok(loadNetwork(join(keys, 'home')));
});

test('a failed build leaves nothing behind', async (t) => {
  const keys = t.testdir();
  writeFileSync(join(keys, 'file'), '');
  await t.rejects(buildNetwork({ network: 'home', keys: join(keys, 'file'), hosts: [] }), { code: 'ENOTDIR' });
  t.same(readdirSync(keys), ['file']);
});

test('names of networks and hosts', async (t) => {
  const keys = t.testdir();
  for (const network of ['', 'Home', '1a', '../x', 'a/b', 'a b', 'é', 'a\n', 'x'.repeat(33)])
    await t.rejects(buildNetwork({ network, keys, hosts: [] }), KeysRefusal, JSON.stringify(network));
  for (const host of ['', 'a b', '-a.org', 'a..org', '1.2.3', '1.2.3.4.5', 'a\n', 'x'.repeat(254)])
    await t.rejects(buildNetwork({ network: 'home', keys, hosts: [host] }), KeysRefusal, JSON.stringify(host));
  t.same(readdirSync(keys), []);
  mkdirSync(join(keys, 'sub'));
  t.ok(await buildNetwork({ network: `a${'-'.repeat(31)}`, keys: join(keys, 'sub'), hosts: [] }));
});

test('the TLS certificate', async (t) => {
  const { certPem, keyPem } = await generateTlsCertificate('home', [
    'chat.example.org',
    '192.0.2.7',
    '2001:db8::7',
    'localhost',
  ]);
  const certificate = new X509Certificate(certPem);
  t.equal(certificate.subject, 'CN=home');
  t.equal(certificate.issuer, 'CN=home');
  t.ok(certificate.checkPrivateKey(createPrivateKey(keyPem)));
  t.ok(certificate.verify(certificate.publicKey), 'self-signed');
  for (const name of ['localhost', 'chat.example.org']) t.ok(certificate.checkHost(name), name);
  for (const address of ['127.0.0.1', '::1', '192.0.2.7', '2001:db8::7']) t.ok(certificate.checkIP(address), address);
  t.notOk(certificate.checkHost('home'));
  t.equal(certificate.subjectAltName?.split('localhost').length, 2, 'each name once');
  t.equal(certificate.ca, false);
  t.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/, 'positive, 16 bytes');
  const years = new Date(certificate.validTo).getUTCFullYear() - new Date(certificate.validFrom).getUTCFullYear();
  t.equal(years, 10);
  t.ok(Date.parse(certificate.validFrom) <= Date.now());
  t.match(certificate.toLegacyObject(), { bits: 2048, exponent: '0x10001' });
});

test('build numbers', (t) => {
  t.equal(buildNumber('0.1.0'), 1000);
  t.equal(buildNumber('12.34.56'), 12_034_056);
  for (const version of ['1.2', '1.2.3-rc1', '1.1000.0', '']) t.throws(() => buildNumber(version), RangeError, version);
  t.end();
});

test('keys made around the secrets of a backup are newer than any that a profile met', async (t) => {
  const dir = await temporaryFolder(t);
  const [keys, fresh] = [join(dir, 'keys'), join(dir, 'fresh')];
  const folder = await buildNetwork({ network: 'home', keys, hosts: [] });
  const backup = join(dir, 'secrets.json');
  writeFileSync(backup, accountSecrets(loadNetwork(folder)), { mode: 0o600 });
  /* Two rotations after the backup; the profile met the daemon under the last. */
  for (let i = 0; i < 2; i++) {
    await rotateNetwork({ network: 'home', keys, hosts: [] });
    retireNetwork(folder, 'home');
  }
  const storage = new MemoryStorage();
  await generationWorked({ storage }, linkedNetwork(folder, 'home').generation);
  const again = await buildNetwork({ network: 'home', keys: fresh, hosts: [], secrets: backup });
  const linked = linkedNetwork(again, 'home');
  t.same(await usableGenerations({ storage, linked }), [linked], 'a client that is linked anew connects');
  t.equal(loadNetwork(again).opaqueSetup, loadNetwork(folder).opaqueSetup);
  t.ok(isOfAccounts(loadNetwork(again), backup, accountSecrets(loadNetwork(folder))), 'whatever the generation');
  const other = await buildNetwork({ network: 'other', keys, hosts: [] });
  t.notOk(isOfAccounts(loadNetwork(other), backup, accountSecrets(loadNetwork(folder))));
});
