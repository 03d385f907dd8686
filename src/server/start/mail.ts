/** The way to the mail server, with what its files hold. */
import { spkiPin } from '../../keys/network.js';
import { readSecretFile } from '../../keys/credentials.js';
import { SmtpMailer } from '../../ops/mailer.js';
import type { MailConfig } from '../config.js';
import { namedFile } from './named-file.js';
import { Refusal } from './refusal.js';

/** @throws Refusal, KeysRefusal */
export function mailerOf(config: MailConfig): SmtpMailer {
  const { host, port, tls, sender, user, passwordFile, caFile, timeout } = config;
  const login =
    user !== undefined && passwordFile !== undefined ? { user, password: passwordIn(passwordFile) } : undefined;
  const ca = caFile === undefined ? undefined : certificatesIn(caFile);
  return new SmtpMailer({ host, port, tls, login, ca, sender, timeout: 1000 * timeout });
}

function passwordIn(path: string): string {
  const bytes = readSecretFile(path, 'write it anew', process.env['CREDENTIALS_DIRECTORY']);
  if (!bytes) throw new Refusal(`${path} is not there — put the password of the mail server into it, 0600`);
  const password = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (password === '' || /\p{Cc}/u.test(password))
    throw new Refusal(`${path} holds no password — write it there, in one line`);
  return password;
}

function certificatesIn(path: string): string {
  const text = namedFile(path, 'ca-file');
  try {
    spkiPin(text);
  } catch {
    throw new Refusal(`${path} is not a PEM certificate — check ca-file`);
  }
  return text;
}
