/** How much of everything there is, as the environment has it. */

export interface ServicePlan {
  /** connections that say nothing */
  readonly connections: number;
  /** of them logged in; the others are past their handshake */
  readonly loggedIn: number;
  /** in a second, each handshake, login and farewell */
  readonly logins: number;
  /** who log in, in turns */
  readonly users: number;
  /** in a second, of all pairs together */
  readonly messages: number;
  readonly seconds: number;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Each of those who log in does so every 5 s: a tenth of what the daemon's limit for one user is. */
const BETWEEN_LOGINS_S = 5;
/** Of anything: the daemon has no more accounts. */
const MOST = 100_000;

/** @param full the whole measure instead of a short one. @throws RangeError where a number is none */
export function planIn(env: Env, full: boolean): ServicePlan {
  const number = (name: string, usual: number, least = 0): number => {
    const value = Number(env[`SERVICE_${name}`] ?? usual);
    if (!(value >= least && value <= MOST))
      throw new RangeError(`SERVICE_${name} — write a number from ${String(least)} to ${String(MOST)}`);
    return value;
  };
  const connections = number('CONNECTIONS', full ? 5_000 : 500);
  const logins = number('LOGINS', full ? 100 : 20);
  return {
    connections,
    loggedIn: Math.min(connections, number('LOGGED_IN', connections)),
    logins,
    users: number('USERS', Math.max(1, Math.ceil(BETWEEN_LOGINS_S * logins)), 1),
    messages: number('MESSAGES', full ? 200 : 100),
    seconds: number('SECONDS', full ? 300 : 15, 1),
  };
}

/** Over what it goes, one after another: whether it is TLS. @throws RangeError where the environment names neither */
export function linksIn({ SERVICE_LINKS: links = 'tls,tcp' }: Env): boolean[] {
  return links.split(',').map((link) => {
    if (link !== 'tls' && link !== 'tcp') throw new RangeError('SERVICE_LINKS — write tls, tcp or tls,tcp');
    return link === 'tls';
  });
}
