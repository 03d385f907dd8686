/**
 * The life of a network's keys: `rotate` puts the next generation beside the current one, `retire` makes it
 * the current one and drops the other. Whatever step a run is cut off at, the folder is used as before or
 * as after it, and the next run finishes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hex } from '../../protocol/index.js';
import { checkHost, hostsOf } from './certificate.js';
import { checkNetworkName, FORMAT, GENERATION_FILES, NEXT, PROMOTED } from './files.js';
import { nodeSteps, putFile, putFolder, sweep, takeAway, type FolderSteps } from './folder-steps.js';
import { drawGeneration } from './generation.js';
import { isThere, loadNetwork, wipe, type GenerationFiles, type NetworkFiles } from './network.js';
import { errorCode } from './private-files.js';
import { KeysRefusal } from './refusal.js';

export interface RotateRequest {
  readonly network: string;
  /** The folder that holds networks. */
  readonly keys: string;
  /** For the certificate, besides those that the current one has. */
  readonly hosts: readonly string[];
}

/** The public part of two generations, the current one first. */
export interface Rotation {
  readonly folder: string;
  readonly current: Pick<GenerationFiles, 'generation' | 'created' | 'pins'>;
  readonly next: Pick<GenerationFiles, 'generation' | 'created' | 'pins'>;
}

/** @throws KeysRefusal where the keys can't be used, or have a next generation already */
export async function rotateNetwork(request: RotateRequest, steps = nodeSteps): Promise<Rotation> {
  const { network, keys, hosts } = request;
  checkNetworkName(network);
  hosts.forEach(checkHost);
  const folder = join(keys, network);
  const current = loadOwn(folder, network);
  finishRetirement(folder, steps);
  refuseExisting(folder, current);
  const { opaqueSetup, decoySecret, software, generation } = current;
  const files = await drawGeneration({
    network,
    generation: generation + 1,
    software: hex(software),
    accounts: { format: FORMAT, opaqueSetup, decoySecret: hex(decoySecret) },
    hosts: [...(current.tls ? hostsOf(current.tls.certPem) : []), ...hosts],
  });
  wipe(current);
  try {
    putFolder(steps, join(folder, NEXT), files);
  } catch (error) {
    if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') refuseExisting(folder, current);
    throw error;
  }
  sweep(steps, folder);
  return rotationOf(folder, network);
}

function refuseExisting(folder: string, { network }: NetworkFiles): void {
  if (isThere(join(folder, NEXT)))
    throw new KeysRefusal(
      `network ${network} has a next generation of keys already (${join(folder, NEXT)}); link clients with it, then: cadenas-keys retire --network ${network}`,
    );
}

/** What there is to retire. @throws KeysRefusal where there is no next generation */
export function rotationOf(folder: string, network: string): Rotation {
  const { next, ...current } = loadOwn(folder, network);
  wipe({ ...current, next });
  if (!next)
    throw new KeysRefusal(
      `network ${network} has no next generation of keys; make one with: cadenas-keys rotate --network ${network}`,
    );
  return { folder, current, next };
}

/** The next generation becomes the current one; the other is removed. @throws KeysRefusal as `rotationOf` */
export function retireNetwork(folder: string, network: string, steps = nodeSteps): Rotation {
  finishRetirement(folder, steps);
  const rotation = rotationOf(folder, network);
  steps.rename(join(folder, NEXT), join(folder, PROMOTED)); // from here on it counts
  steps.sync(folder);
  finishRetirement(folder, steps);
  return rotation;
}

/** Folds what was promoted into the folder; done twice, it changes nothing. @returns whether there was something */
export function finishRetirement(folder: string, steps: FolderSteps = nodeSteps): boolean {
  const promoted = join(folder, PROMOTED);
  if (!isThere(promoted)) return false;
  wipe(loadNetwork(folder)); // what it refuses is not put in the place of anything
  for (const name of GENERATION_FILES) putFile(steps, join(folder, name), readFileSync(join(promoted, name)));
  takeAway(steps, promoted);
  sweep(steps, folder);
  return true;
}

function loadOwn(folder: string, network: string): NetworkFiles {
  const files = loadNetwork(folder);
  if (files.network !== network)
    throw new KeysRefusal(`${folder} holds the keys of network ${files.network}; rename the folder to that`);
  return files;
}
