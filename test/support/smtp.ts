/** A real mail server on this machine: takes what comes, and hands it to the test. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { generateTlsCertificate, type TlsFiles } from '../../src/keys/certificate.js';
import type { Teardown } from './temp.js';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** by lower-case name */
  readonly headers: ReadonlyMap<string, string>;
  /** as a person reads it */
  readonly text: string;
  /** the connection was under TLS */
  readonly secure: boolean;
  readonly user: string | undefined;
}

export interface PostOptions {
  readonly tls?: 'tls' | 'starttls' | 'none';
  readonly login?: { readonly user: string; readonly password: string };
  /** What it says to a recipient. */
  readonly refuses?: (address: string) => string | undefined;
}

let certificate: Promise<TlsFiles> | undefined;

/** Of all servers of a process; self-signed, for 127.0.0.1. */
export function certificateOfPost(): Promise<TlsFiles> {
  return (certificate ??= generateTlsCertificate('post', ['127.0.0.1']));
}

export class Post {
  readonly #server: SMTPServer;
  readonly #mails: Mail[] = [];
  #wake: () => void = () => undefined;

  private constructor(options: PostOptions, how: SMTPServerOptions) {
    const arrived = (mail: Mail): void => {
      this.#mails.push(mail);
      this.#wake();
    };
    this.#server = new SMTPServer({ ...handlers(options, arrived), ...how });
    this.#server.on('error', () => undefined); // of a connection whose client went away, as some tests want it
  }

  static async start(t: Teardown, options: PostOptions = {}): Promise<Post> {
    const post = new Post(options, await security(options.tls ?? 'none'));
    await once(post.#server.listen(0, '127.0.0.1'), 'listening');
    t.teardown(() => post.close());
    return post;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  /** The next mail that nobody took yet. */
  async next(): Promise<Mail> {
    for (;;) {
      const mail = this.#mails.shift();
      if (mail) return mail;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Mails that nobody took yet. */
  get waiting(): number {
    return this.#mails.length;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

async function security(tls: 'tls' | 'starttls' | 'none'): Promise<SMTPServerOptions> {
  if (tls === 'none') return { disabledCommands: ['STARTTLS'], allowInsecureAuth: true };
  const { certPem, keyPem } = await certificateOfPost();
  return { secure: tls === 'tls', cert: certPem, key: keyPem };
}

function handlers({ login, refuses }: PostOptions, arrived: (mail: Mail) => void): SMTPServerOptions {
  return {
    logger: false,
    disableReverseLookup: true,
    closeTimeout: 500,
    authOptional: login === undefined,
    onAuth: ({ username, password }, _session, done) => {
      if (username === login?.user && password === login?.password) done(null, { user: username });
      else done(new Error('no such user'));
    },
    onRcptTo: ({ address }, _session, done) => {
      const why = refuses?.(address);
      done(why === undefined ? null : Object.assign(new Error(why), { responseCode: 550 }));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        arrived({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          ...read(Buffer.concat(chunks).toString('latin1')),
          secure: session.secure,
          user: typeof session.user === 'string' ? session.user : undefined,
        });
        done();
      });
    },
  };
}

/** RFC 5322 and 2045, as far as mails of one part need it. */
function read(raw: string): Pick<Mail, 'headers' | 'text'> {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = raw.slice(end + 4);
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase();
  const bytes =
    encoding === 'base64'
      ? Buffer.from(body, 'base64')
      : Buffer.from(encoding === 'quoted-printable' ? unquoted(body) : body, 'latin1');
  return { headers, text: bytes.toString('utf8').replaceAll('\r\n', '\n') };
}

function unquoted(body: string): string {
  return body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** The code that stands in a mail. */
export function codeIn({ text }: Mail): string {
  const codes = text.match(/\b\d{8}\b/g) ?? [];
  if (codes.length !== 1) throw new Error(`${String(codes.length)} codes in a mail`);
  return codes[0];
}
