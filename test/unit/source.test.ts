import { test } from 'tap';
import { sourceOf } from '../../src/transport/source.js';

test('the address that limits count', (t) => {
  const cases: Record<string, string> = {
    '127.0.0.1': '127.0.0.1',
    '::ffff:10.0.0.7': '10.0.0.7',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:db8:1:2::9': '2001:db8:1:2::/64',
    '2001:db8::1': '2001:db8:0:0::/64',
    '::1': '0:0:0:0::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
    '': '',
  };
  for (const [address, source] of Object.entries(cases)) t.equal(sourceOf(address), source, address);
  t.equal(sourceOf(undefined), '');
  t.end();
});
