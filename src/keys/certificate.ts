/** The network's own TLS certificate: X.509 v3, self-signed, accepted by clients for its public key. */
import { createHash, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { exportPrivate, generateRsa } from '../crypto/index.js';
import { KeysRefusal } from './refusal.js';

export interface TlsFiles {
  readonly certPem: string;
  /** PKCS#8 */
  readonly keyPem: string;
}

const YEARS = 10;
/** A client's clock may be behind by this much, in ms. */
const CLOCK_SLACK_MS = 3600_000;
const ALWAYS = ['localhost', '127.0.0.1', '::1'];
/** `::1`, as OpenSSL prints it. */
const LOOPBACK_WRITTEN_OUT = '0:0:0:0:0:0:0:1';
const DNS = 2;
const IP = 7;

export function privatePem(pkcs8: Uint8Array): string {
  const lines =
    Buffer.from(pkcs8)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
}

/** SHA-256 of a certificate's SubjectPublicKeyInfo, lower-case hexadecimal: what clients are linked with. */
export function spkiPin(certPem: string): string {
  const spki = new X509Certificate(certPem).publicKey.export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(spki).digest('hex');
}

/** Whether it is HOST:PORT of a daemon that can be reached; an IPv6 address stands in brackets. */
export function isServer(typed: string): boolean {
  const [, v6, host = '', port = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(typed) ?? [];
  return Number(port) >= 1 && Number(port) <= 65_535 && (v6 === undefined ? isHost(host) : isIP(v6) === 6);
}

/** @throws KeysRefusal where it is neither a DNS name nor an IP address */
export function checkHost(host: string): string {
  if (!isHost(host)) throw new KeysRefusal('a host is a DNS name or an IP address; give each with its own --host');
  return host;
}

function isHost(host: string): boolean {
  if (isIP(host) !== 0) return true;
  const labels = host.split('.');
  const named = host.length <= 253 && labels.every((part) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(part));
  return named && !/^[0-9.]+$/.test(host);
}

/** The hosts that a certificate of ours names, without those that each one names. */
export function hostsOf(certPem: string): string[] {
  const names = new X509Certificate(certPem).subjectAltName?.split(', ') ?? [];
  const hosts = names.map((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? '').filter(Boolean);
  return hosts.filter((host) => !ALWAYS.includes(host) && host !== LOOPBACK_WRITTEN_OUT);
}

/** A new RSA-2048 key and its certificate, valid for ten years, for localhost, its addresses, and `hosts`. */
export async function generateTlsCertificate(network: string, hosts: readonly string[]): Promise<TlsFiles> {
  // node:crypto makes the key: forge's own is slow, and not constant-time.
  const keyPem = privatePem(exportPrivate(await generateRsa()));
  return { keyPem, certPem: await certify(network, hosts, keyPem) };
}

/** A self-signed certificate for a key that is there. @param keyPem PKCS#8, RSA */
export async function certify(network: string, hosts: readonly string[], keyPem: string): Promise<string> {
  // Loaded here: a daemon whose certificate exists never needs it.
  const { default: forge } = await import('node-forge');
  const { pki } = forge;
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.publicKeyFromPem(
    createPublicKey(keyPem).export({ format: 'pem', type: 'spki' }) as string,
  );
  certificate.serialNumber = positiveSerial();
  certificate.validity.notBefore = new Date(Date.now() - CLOCK_SLACK_MS);
  certificate.validity.notAfter = new Date(certificate.validity.notBefore);
  certificate.validity.notAfter.setUTCFullYear(certificate.validity.notBefore.getUTCFullYear() + YEARS);
  const subject = [{ name: 'commonName', value: network }];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  const altNames = [...new Set([...ALWAYS, ...hosts.map(checkHost)])].map((host) =>
    isIP(host) === 0 ? { type: DNS, value: host } : { type: IP, ip: host },
  );
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames },
    { name: 'subjectKeyIdentifier' },
  ]);
  certificate.sign(pki.privateKeyFromPem(keyPem), forge.md.sha256.create());
  return pki.certificateToPem(certificate).replaceAll('\r\n', '\n');
}

/** 16 random bytes; the first is 0x40 to 0x7f, so that DER reads a positive number of full length. */
function positiveSerial(): string {
  const serial = randomBytes(16);
  serial.writeUInt8(0x40 | (serial.readUInt8(0) & 0x3f), 0);
  return serial.toString('hex');
}
