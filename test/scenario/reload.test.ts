/** SIGHUP: what changes of a running daemon, what does not, and that nobody is cut off. */
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { Code, structs } from '../../protocol/index.js';
import { generateTlsCertificate, spkiPin } from '../../src/keys/certificate.js';
import { cadenasd } from '../support/cadenasd.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { letter } from '../support/letters.js';
import { enter, newPerson } from '../support/people.js';
import { befriend, makeUser, RawConnection, registerUser } from '../support/raw.js';
import { temporaryFolder } from '../support/temp.js';

void test('a reload changes what it may, for those who are connected too, and cuts nobody off', async (t) => {
  const folder = await temporaryFolder(t);
  const network = await makeNetwork();
  const file = join(folder, 'cadenasd.toml');
  const own = await generateTlsCertificate('test', []);
  writeFileSync(join(folder, 'cert.pem'), own.certPem);
  writeFileSync(join(folder, 'key.pem'), own.keyPem, { mode: 0o600 });
  writeFileSync(file, '[limits]\nmessages-per-second = 1\nmessage-burst = 1\n');
  const daemon = await startDaemon(t, { network, tls: true, args: ['--config', file] });
  const hangUp = (): boolean => process.kill(daemon.pid, 'SIGHUP');
  const alice = await newPerson(t, daemon, 'alice');
  const bobby = await newPerson(t, daemon, 'bobby');
  await befriend(alice.raw, alice.user, bobby.raw, bobby.user);
  bobby.raw.close();
  const write = async (number: number): Promise<number> =>
    (await alice.raw.ask(structs.smpu, { envelope: letter(alice.user, bobby.user, number) })).header.code;
  t.equal(await write(1), Code.queued);
  t.equal(await write(2), Code.limited, 'one in a second');

  const certificate = '[tls]\ncertificate = "cert.pem"\nprivate-key = "key.pem"\n';
  const log = '[log]\nlevel = "debug"\n';
  const limits = '[limits]\nmessage-burst = 50\nmessages-per-second = 50\n';
  writeFileSync(
    file,
    `[registration]\nwho = "closed"\n${certificate}${log}${limits}[metrics]\nlisten = "127.0.0.1:9"\n`,
  );
  hangUp();
  await daemon.logged('reloaded changed=');
  t.match(
    daemon.log(),
    /reloaded changed="?tls\.certificate tls\.private-key registration\.who log\.level limits\.\S+ limits\.\S+"? atStart=metrics\.listen/,
  );
  t.equal(await write(2), Code.queued, 'the same connection, by the new limit');
  const strange = await RawConnection.connect(daemon, [spkiPin(own.certPem)]);
  t.teardown(() => {
    strange.close();
  });
  t.ok((await strange.handshake(network.linked))?.session, 'a new connection has the new certificate');
  const carol = await registerUser(strange, await makeUser('carol'));
  t.equal(carol.header.code, Code.forbidden, 'and nobody registers any more');
  await daemon.logged('command=crea step=1 code=403'); // at debug alone

  const before = daemon.log();
  writeFileSync(file, '[limits]\nmesage-burst = 1\n');
  hangUp();
  await daemon.logged('not reloaded');
  t.match(daemon.log().slice(before.length), /cadenasd\.toml:2: \[limits\] has no mesage-burst — did you mean/);
  writeFileSync(join(folder, 'key.pem'), network.linked.software);
  writeFileSync(file, `[registration]\nwho = "open"\n${certificate}`);
  hangUp();
  await daemon.logged('is not the private key of');
  t.equal(await write(3), Code.queued, 'a mistake leaves everything as it was');
  t.match(await cadenasd('config', '--check', '--config', file), {
    code: 1,
    err: /key\.pem is not the private key of/,
  });

  const aside = `${network.keys}.aside`;
  renameSync(network.keys, aside);
  symlinkSync(network.keys, network.keys);
  writeFileSync(file, '');
  hangUp();
  await daemon.logged('ELOOP');
  t.equal(await write(4), Code.queued, 'what nobody thought of, too');
  rmSync(network.keys);
  renameSync(aside, network.keys);

  writeFileSync(file, '[registration]\nwho = "open"\n');
  hangUp();
  await daemon.logs((log) => log.split('reloaded changed=').length > 2);
  t.notMatch(daemon.log().split('reloaded changed=')[2] ?? '', /atStart/, 'metrics are what they were at the start');
  const back = await enter(t, daemon, bobby.user, false);
  t.equal(back.cnnt.queued, 4, 'with the certificate of the network again');
  t.equal(await daemon.stop(), 0);
});

void test('flags go before the environment, that before the file, that before the default', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'net.toml');
  writeFileSync(file, '[daemon]\nlisten = "127.0.0.1:1"\ndata = "here"\n[limits]\nwindow = 2\nrooms = 3\n');
  process.env['CADENASD_LIMITS_WINDOW'] = '4';
  process.env['CADENASD_DAEMON_LISTEN'] = '127.0.0.1:5';
  process.env['CADENASD_CONFIG'] = file;
  t.teardown(() => {
    for (const name of ['LIMITS_WINDOW', 'DAEMON_LISTEN', 'CONFIG'])
      Reflect.deleteProperty(process.env, `CADENASD_${name}`);
  });
  const { out } = await cadenasd('config', '--listen', '127.0.0.1:6');
  t.match(out, 'listen = "127.0.0.1:6"  # --listen');
  t.match(out, 'window = 4  # CADENASD_LIMITS_WINDOW');
  t.match(out, `rooms = 3  # ${file}:6`);
  t.match(out, `data = "${folder}/here"  # ${file}:3`, 'seen from the file');
  t.match(out, 'accounts = 100000  # default');
  t.match((await cadenasd('config', '--no-config')).out, 'rooms = 10000  # default');
  t.match(await cadenasd('config', '--config', `${file}.none`), { code: 1, err: /can't be read \(ENOENT\)/ });
  t.match(await cadenasd('check', '--network', 'A'), {
    code: 1,
    err: /^cadenasd: --network can't be this — write a–z/,
  });
});
