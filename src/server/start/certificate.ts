/** The certificate of the daemon's TLS: the network's own, or one that the operator names. */
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { loadNetwork, spkiPin, wipe, type NetworkFiles } from '../../keys/network.js';
import type { DaemonSettings } from '../config.js';
import type { Log } from '../log.js';
import { namedFile } from './named-file.js';
import { Refusal } from './refusal.js';

export interface Certificate {
  /** PEM */
  readonly certificate: string;
  readonly privateKey: string;
}

/** @throws Refusal, KeysRefusal */
export function certificateOf(settings: DaemonSettings, network: NetworkFiles, log: Log): Certificate {
  const { certificate: certPath, 'private-key': keyPath } = settings.values.tls;
  if (certPath === undefined || keyPath === undefined) {
    if (!network.tls)
      throw new Refusal(
        'the network has no TLS certificate — start with --generate-default-cert, or with --disable-ssl',
      );
    return { certificate: network.tls.certPem, privateKey: network.tls.keyPem };
  }
  const named = namedPair(certPath, keyPath);
  const pins = [network, ...(network.next ? [network.next] : [])].flatMap((generation) => generation.pins);
  const { pin } = named;
  if (!pins.includes(pin))
    log.warn('clients are not linked with this certificate’s key and will refuse it unless they skip the pin', { pin });
  return named;
}

function namedPair(certPath: string, keyPath: string): Certificate & { readonly pin: string } {
  const certificate = namedFile(certPath, 'the certificate of [tls]');
  const privateKey = namedFile(keyPath, 'the private key of [tls]');
  const pin = pinOf(certificate, certPath);
  try {
    createSecureContext({ cert: certificate, key: privateKey });
  } catch {
    throw new Refusal(`${keyPath} is not the private key of ${certPath} — check --key-path`);
  }
  return { certificate, privateKey, pin };
}

/** The certificate that the settings name, if they do. @throws Refusal */
export function checkNamedCertificate({ values: { tls } }: DaemonSettings): void {
  if (tls.certificate !== undefined && tls['private-key'] !== undefined) namedPair(tls.certificate, tls['private-key']);
}

/** The same, read anew. @param started whose keys are served: another folder of the keys counts from the next start on */
export function freshCertificate(settings: DaemonSettings, started: DaemonSettings, log: Log): Certificate {
  const { keys, network: name } = started.values.daemon;
  const network = loadNetwork(join(keys, name), process.env['CREDENTIALS_DIRECTORY']);
  try {
    return certificateOf(settings, network, log);
  } finally {
    wipe(network);
  }
}

function pinOf(certificate: string, path: string): string {
  try {
    return spkiPin(certificate);
  } catch {
    throw new Refusal(`${path} is not a PEM certificate — check --cert-path`);
  }
}
