import { test } from 'tap';
import { Routes } from '../../src/server/routes.js';
import { noSecurity, type Consent, type Store } from '../../src/store/store.js';

test('a block during a look-up is not forgotten', async (t) => {
  const consents = new Map<string, Consent>([
    ['a', 'open'],
    ['b', 'open'],
  ]);
  const reads: (() => void)[] = [];
  const name = (uid: Uint8Array): string => String.fromCharCode(uid[0] ?? 0);
  const store = {
    consent: (of: Uint8Array) => {
      const read = consents.get(name(of));
      return new Promise((resolve) => {
        reads.push(() => {
          resolve(read);
        });
      });
    },
    accountByUid: () => Promise.resolve({ security: noSecurity }),
    setConsent: (of: Uint8Array, _towards: Uint8Array, consent: Consent) => {
      consents.set(name(of), consent);
      return Promise.resolve();
    },
  } as unknown as Store;
  const routes = new Routes(store);
  const [a, b] = [Buffer.alloc(16, 'a'), Buffer.alloc(16, 'b')];
  const pair = 'a'.repeat(16) + 'b'.repeat(16);
  const loading = routes.load(pair);
  await routes.setConsent(b, a, 'blocked');
  for (const read of reads.splice(0)) read();
  await loading;
  t.equal(routes.known(pair), undefined, 'what was read before the block is not kept');
  const again = routes.load(pair);
  for (const read of reads.splice(0)) read();
  t.equal(await again, false);
  t.equal(routes.known(pair), false);
});
