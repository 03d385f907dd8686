/**
 * The daemon as a state machine: whatever comes in whatever state, each command gets the one answer that SPEC says,
 * the connection ends where SPEC says so and nowhere else, and nothing of the daemon's own fails.
 */
import { nodeSync } from '../../src/crypto/index.js';
import type { Store } from '../../src/store/store.js';
import { findsBug, fuzz, type Prepared } from '../support/fuzz.js';
import { hurriedPasswords } from '../support/passwords.js';
import { play } from './daemon-play.js';
import { startFuzzed, type Change } from './daemon-server.js';

/** Structs, or bundles of them, and connections of one case. */
const TURNS = 60;
const CONNECTIONS = 5;
/** Side by side, since a daemon answers `auth1` at a multiple of 25 ms. */
const WIDTH = 16;

function plays(change?: Change): Prepared {
  return {
    width: WIDTH,
    prepare: async (t) => {
      const daemon = await startFuzzed(t, change);
      const passwords = await hurriedPasswords();
      return (draws) => play(daemon, draws, passwords, TURNS, CONNECTIONS);
    },
  };
}

fuzz('whatever comes in whatever state gets what SPEC says', 60, plays());

// ---- the fuzzer sees what it is for

/** The store with another method or two; its own are on its class. */
const storeWith = (store: Store, methods: Partial<Store>): Store =>
  new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get({ ...methods, __proto__: null }, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });

const bugs: Readonly<Record<string, Change>> = {
  'any password will do': ({ passwords }) => ({
    passwords: {
      ...passwords,
      loginFinish: async (...of) => (await passwords.loginFinish(...of)) ?? nodeSync.random(64),
    },
  }),
  'any words will do': ({ sync }) => ({ sync: { ...sync, equal: () => true } }),
  'any code by mail will do': () => ({ spendCode: () => true }),
  'no code by mail will do': () => ({ spendCode: () => false }),
  'any signature will do': ({ asymmetric }) => ({
    asymmetric: { ...asymmetric, pssVerify: () => Promise.resolve(true) },
  }),
  'a conversation is open when one side says so': ({ store }) => ({
    store: storeWith(store, { consent: () => Promise.resolve('open') }),
  }),
  'answers are not kept': ({ store }) => ({ store: storeWith(store, { reply: () => Promise.resolve(undefined) }) }),
  'the store fails': ({ store }) => ({
    store: storeWith(store, { setConsent: () => Promise.reject(new Error('planted')) }),
  }),
};
for (const [name, change] of Object.entries(bugs)) findsBug(name, 100, plays(change));
