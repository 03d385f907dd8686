import { ConnectError, type ConnectFailure } from './transport.js';

export const CONNECT_TIMEOUT_MS = 10_000;

const reasons: Readonly<Record<string, ConnectFailure>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
};

export function connectFailure(error: Error & { code?: string }): ConnectError {
  const code = error.code ?? '';
  const reason = reasons[code] ?? (/SSL|TLS/.test(code) ? 'not-tls' : 'unreachable');
  return new ConnectError(reason, error.message);
}
