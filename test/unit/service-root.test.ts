/** Service files in another root: an image may be somebody else's, and what is done to it is done by root. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { runUninstall } from '../../src/server/admin/service.js';
import { temporaryFolder } from '../support/temp.js';

const UNIT = 'systemd/system/cadenasd.service';

test('links of an image lead nowhere but into it', async (t) => {
  const folder = await temporaryFolder(t);
  const [image, outside] = [join(folder, 'image'), join(folder, 'image-other')];
  for (const place of [join(image, 'usr'), outside]) {
    mkdirSync(join(place, 'systemd/system'), { recursive: true });
    writeFileSync(join(place, UNIT), '# Written by cadenasd install-service\n');
  }
  symlinkSync(outside, join(image, 'etc'));
  const options = { dryRun: false, root: image };
  t.throws(() => runUninstall(options), { name: 'Mistake', message: /etc\/.* leads out of .*image — / });
  t.ok(existsSync(join(outside, UNIT)), 'what lies there is left');
  const inside = join(folder, 'inside');
  mkdirSync(inside);
  symlinkSync('../image/usr', join(inside, 'etc'));
  t.throws(() => runUninstall({ dryRun: true, root: inside }), /leads out/);
  symlinkSync('usr', join(image, 'own'));
  t.equal(runUninstall({ dryRun: true, root: '/' }), 0);
  t.equal(runUninstall({ dryRun: false, root: join(image, 'own') }), 0, 'a root that is a link itself is meant');
});
