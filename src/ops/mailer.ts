/** Mail by SMTP: one connection for each, ended whatever the other side does. */
import { createTransport } from 'nodemailer';

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** tls: from the first byte; starttls: before anything that matters; none: for this machine alone */
  readonly tls: 'tls' | 'starttls' | 'none';
  readonly login: { readonly user: string; readonly password: string } | undefined;
  /** PEM: whom to believe instead of the usual authorities */
  readonly ca: string | undefined;
  /** address that the mail is from */
  readonly sender: string;
  /** ms from the first byte to the server's last word */
  readonly timeout: number;
}

/** After its last word a connection is cut, in ms. */
const FAREWELL_MS = 500;

/** One address and nothing else: the library takes a text for a list, and finds more in it than its caller meant. */
const ONE = /^[^\s\p{Cc}@,;:<>()[\]"\\]+@[^\s\p{Cc}@,;:<>()[\]"\\]+$/u;

export class SmtpMailer {
  readonly #server: MailServer;
  readonly #closed = new AbortController();

  constructor(server: MailServer) {
    this.#server = server;
  }

  /** @throws Error that names what failed, and no address */
  async send(to: string, subject: string, text: string): Promise<void> {
    if (!ONE.test(to)) throw new Error('SMTP: no address');
    const { host, port, tls, login, ca, sender, timeout } = this.#server;
    const transport = createTransport({
      host,
      port,
      secure: tls === 'tls',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
      ...(login ? { auth: { user: login.user, pass: login.password } } : {}),
      connectionTimeout: timeout,
      greetingTimeout: timeout,
      dnsTimeout: timeout,
      socketTimeout: timeout,
      socketCloseTimeout: FAREWELL_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const failure = await transport
      .sendMail({
        from: { name: '', address: sender },
        to: { name: '', address: to },
        envelope: { from: sender, to: [to] },
        subject,
        text,
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal: AbortSignal.any([AbortSignal.timeout(timeout), this.#closed.signal]),
      })
      .then(() => undefined, whatFailed);
    transport.close();
    if (failure !== undefined) throw new Error(failure);
  }

  /** Ends what is under way: it fails. */
  close(): void {
    this.#closed.abort();
  }
}

/** Without the server's own words, which often have the address in them. */
function whatFailed(error: unknown): string {
  const { code, responseCode, command } = error as { code?: unknown; responseCode?: unknown; command?: unknown };
  const told = [code, responseCode, command].filter((each) => typeof each === 'string' || typeof each === 'number');
  return `SMTP ${told.map((each) => String(each).replace(/[^\w ]/g, '')).join(' ')}`;
}
