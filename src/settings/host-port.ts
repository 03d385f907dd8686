/** HOST:PORT, as people write it and read it; an IPv6 address stands in brackets. */
import { isIP } from 'node:net';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** As resolvers take them, those with _ and other letters than ASCII's too. */
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}._-]{0,252}$/u;

export function isHost(typed: string): boolean {
  return isIP(typed) !== 0 || NAME.test(typed);
}

/** @param lowest port that may be meant */
export function hostPort(typed: string, lowest: 0 | 1): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(typed);
  const [host, port] = [match?.[1] ?? match?.[2], Number(match?.[3])];
  return host !== undefined && isHost(host) && port >= lowest && port <= 65_535 ? { host, port } : undefined;
}

export function hostPortText({ host, port }: HostPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}
