/** A worker thread: RSA, key agreement and OPAQUE, off the daemon's loop and off the pool that syncs files. */
import { workerData } from 'piscina';
import { nodeAsymmetric, nodeSync, passwordServer, rsaPrivate } from '../crypto/index.js';
import type { PooledPrivate, Task, WorkerKeys } from './pool.js';
import { workOf } from './work.js';
import { yieldToOthers } from './yielding.js';

yieldToOthers();

const keys = workerData as WorkerKeys;
const privates = keys.serverKeys.map(rsaPrivate);
const work = workOf(nodeSync, nodeAsymmetric, await passwordServer(keys.opaqueSetup), (key) => {
  const found = privates[(key as PooledPrivate).generation];
  if (!found) throw new RangeError('worker: no such generation of keys');
  return found;
});

/* Each is one task of the pool, by its name. */
export const openInner: Task<'openInner'> = (args) => work.openInner(...args);
export const openBlock: Task<'openBlock'> = (args) => work.openBlock(...args);
export const answerLogin: Task<'answerLogin'> = (args) => work.answerLogin(...args);
export const answerRegistration: Task<'answerRegistration'> = (args) => work.answerRegistration(...args);
export const registrationResponse: Task<'registrationResponse'> = (args) => work.registrationResponse(...args);
export const sealPossession: Task<'sealPossession'> = (args) => work.sealPossession(...args);
export const answerRecovery: Task<'answerRecovery'> = (args) => work.answerRecovery(...args);
export const verify: Task<'verify'> = (args) => work.verify(...args);
