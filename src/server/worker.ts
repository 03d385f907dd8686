/** A worker thread: RSA, key agreement and OPAQUE, off the daemon's loop and off the pool that syncs files. */
import { workerData } from 'piscina';
import { nodeAsymmetric, passwordServer, rsaPrivate } from '../crypto/index.js';
import type { WorkerKeys, WorkerTasks } from './pool.js';

const keys = workerData as WorkerKeys;
const privates = keys.serverKeys.map(rsaPrivate);
const passwords = await passwordServer(keys.opaqueSetup);

/* Each is one task of the pool, by its name. */
export const oaepOpen: WorkerTasks['oaepOpen'] = ([generation, label, block]) => {
  const key = privates[generation];
  if (!key) throw new RangeError('worker: no such generation of keys');
  return nodeAsymmetric.oaepOpen(key, label, block);
};
export const oaepSeal: WorkerTasks['oaepSeal'] = (args) => nodeAsymmetric.oaepSeal(...args);
export const pssVerify: WorkerTasks['pssVerify'] = (args) => nodeAsymmetric.pssVerify(...args);
export const agree: WorkerTasks['agree'] = (args) => nodeAsymmetric.agree(...args);
export const registrationResponse: WorkerTasks['registrationResponse'] = (args) =>
  passwords.registrationResponse(...args);
export const loginResponse: WorkerTasks['loginResponse'] = (args) => passwords.loginResponse(...args);
export const loginFinish: WorkerTasks['loginFinish'] = (args) => passwords.loginFinish(...args);
