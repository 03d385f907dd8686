/** What a reload reads of TLS. */
import { join } from 'node:path';
import { test } from 'tap';
import { loadNetwork } from '../../src/keys/network.js';
import { daemonSettings, type DaemonSettings } from '../../src/server/config.js';
import { freshCertificate } from '../../src/server/start/certificate.js';
import { makeNetwork } from '../support/daemon.js';

test('the certificate is that of the keys that are served, whatever the settings name by now', async (t) => {
  const { keys } = await makeNetwork('served');
  const settings = (network: string): DaemonSettings =>
    daemonSettings({
      flags: new Map([
        ['daemon.keys', { name: '--keys', text: keys }],
        ['daemon.network', { name: '--network', text: network }],
      ]),
    });
  const silent = () => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent, isDebug: false };
  const { certificate } = freshCertificate(settings('other'), settings('served'), log);
  t.equal(certificate, loadNetwork(join(keys, 'served')).tls?.certPem);
});
