/** Clients that want no more than to be answered: they speak TLS and are gone. */
import { connect } from 'node:tls';

/** One for each address comes this often, in ms. */
const EVERY_MS = 5;

export interface Answer {
  /** ms, of `performance.now()` */
  readonly from: number;
  readonly to: number;
  /** undefined: TLS was spoken */
  readonly error: string | undefined;
}

/** @param address HOST:PORT */
export function ask(address: string): Promise<Answer> {
  const from = performance.now();
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(address) ?? [];
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), minVersion: 'TLSv1.3', rejectUnauthorized: false });
    const end = (error?: string): void => {
      socket.destroy();
      resolve({ from, to: performance.now(), error });
    };
    socket.once('secureConnect', () => {
      end();
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      end(code ?? 'error');
    });
  });
}

/** Clients of these addresses, one after another comes and is gone. */
export function crowd(addresses: readonly string[]): { stop(): Promise<Answer[]> } {
  const answers: Promise<Answer>[] = [];
  const coming = setInterval(() => {
    for (const address of addresses) answers.push(ask(address));
  }, EVERY_MS);
  return {
    stop: () => {
      clearInterval(coming);
      return Promise.all(answers);
    },
  };
}
