/** Prometheus text and health over HTTP, for this machine alone. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { listenAt, listenRefusal } from '../local/local-server.js';

const PREFIX = 'cadenas_';
/** Upper bounds of a sync's time, in seconds. */
const SYNC_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const LAG_RESOLUTION_MS = 10;
const LAG_QUANTILES = [50, 90, 99, 100];

/** Who may be connected at a time; further ones are cut. */
const PEERS_MAX = 32;
/** In bytes; in ms from the first byte to the last, and for one that says nothing more. */
const HEADER_MAX = 8 * 1024;
const REQUEST_MS = 5_000;
const KEEP_ALIVE_MS = 60_000;
/** Of a socket: its group may read it too, where its folder lets them in. */
const SOCKET_MODE = 0o660;
/** A page of somebody else's can have its own name lead to this machine, but no address for a name. */
const OWN_HOST = /^(?:localhost|[\d.]+|\[[\da-f:.]+\])(?::\d+)?$/i;

/** Where it listens. */
export type MetricsPlace = { readonly path: string } | { readonly host: string; readonly port: number };

/** A kind of figure: what prom-client needs of it. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly labels: readonly string[];
  /** at each scrape: a number, and the values of its labels */
  readonly read: () => Iterable<readonly [number, ...string[]]>;
}

export interface Watched {
  readonly version: string;
  readonly families: readonly MetricFamily[];
  readonly health: () => { readonly healthy: boolean };
  /** Something failed that nobody who asked is told of. */
  readonly log: (line: string) => void;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #watched: Watched;
  readonly #syncs: Histogram;
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  readonly #server: Server;
  /** whose question is not answered yet */
  readonly #asking = new WeakSet<Socket>();
  #release: () => Promise<void> = () => Promise.resolve();

  private constructor(watched: Watched) {
    this.#watched = watched;
    const registers = [this.#registry];
    for (const family of watched.families) add(this.#registry, family);
    const help = 'What a sync of the journal took, in seconds.';
    this.#syncs = new Histogram({ name: `${PREFIX}sync_seconds`, help, buckets: SYNC_SECONDS, registers });
    this.#addLag();
    const info = new Gauge({ name: `${PREFIX}build_info`, help: 'The version.', labelNames: ['version'], registers });
    info.set({ version: watched.version }, 1);
    this.#server = createServer({ maxHeaderSize: HEADER_MAX, headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS });
    this.#server.maxConnections = PEERS_MAX;
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.setTimeout(KEEP_ALIVE_MS, (socket) => socket.destroy()); // who does not read its answer, too
    this.#server.on('request', (request, response) => {
      this.#take(request, response);
    });
    this.#server.on('error', (error) => {
      watched.log(error.message); // one that failed to listen is told by `start`
    });
  }

  /** @throws SocketRefusal; what the system says where it can't listen */
  static async start(place: MetricsPlace, watched: Watched): Promise<Metrics> {
    const metrics = new Metrics(watched);
    const server = metrics.#server;
    if ('path' in place) {
      metrics.#release = await listenAt(server, place.path, SOCKET_MODE);
      return metrics;
    }
    server.listen(place);
    try {
      await once(server, 'listening');
    } catch (error) {
      throw listenRefusal(error, `${place.host} port ${String(place.port)}`);
    }
    return metrics;
  }

  /** The port; 0 where there is none. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** A sync ended, after so many ms. */
  synced(ms: number): void {
    this.#syncs.observe(ms / 1000);
  }

  #addLag(): void {
    const lag = this.#lag;
    lag.enable();
    new Gauge({
      name: `${PREFIX}loop_lag_seconds`,
      help: 'How late the event loop was since the last look, in seconds; quantile 1 is the worst.',
      labelNames: ['quantile'],
      registers: [this.#registry],
      collect() {
        for (const percent of LAG_QUANTILES) {
          const late = lag.count === 0 ? 0 : lag.percentile(percent) / 1e9 - LAG_RESOLUTION_MS / 1000;
          this.set({ quantile: String(percent / 100) }, Math.max(0, late));
        }
        lag.reset();
      },
    });
  }

  /** One question at a time: of those that come at once, thousands in one packet, each would take its while. */
  #take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (this.#asking.has(socket)) {
      socket.destroy();
      return;
    }
    this.#asking.add(socket);
    response.once('finish', () => this.#asking.delete(socket));
    void this.#answer(request, response);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    /* Nobody who asks has anything to say: what comes behind the head is not read. */
    const asksOnly = request.headers['content-length'] === undefined && !request.headers['transfer-encoding'];
    const path = request.method === 'GET' && asksOnly ? request.url : undefined;
    const { host = 'localhost' } = request.headers;
    if (this.port > 0 && !OWN_HOST.test(host)) {
      response.setHeader('Connection', 'close');
      end(response, 421, 'text/plain', 'ask by address, or as localhost\n');
    } else if (path === '/metrics') {
      try {
        end(response, 200, this.#registry.contentType, await this.#registry.metrics());
      } catch (error) {
        this.#watched.log(`metrics: ${String(error)}`);
        end(response, 500, 'text/plain', 'failed\n');
      }
    } else if (path === '/health') {
      const { healthy, ...more } = this.#watched.health();
      end(response, healthy ? 200 : 503, 'application/json', `${JSON.stringify({ healthy, ...more })}\n`);
    } else {
      response.setHeader('Connection', 'close');
      end(response, 404, 'text/plain', 'there is /metrics and /health\n');
    }
  }

  async close(): Promise<void> {
    this.#lag.disable();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
    await this.#release();
  }
}

function end(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
  response.end(text);
}

function add(registry: Registry, { name, help, kind, labels, read }: MetricFamily): void {
  const settings = { name: PREFIX + name, help, labelNames: [...labels], registers: [registry] };
  const labelled = (values: readonly string[]): Record<string, string> =>
    Object.fromEntries(labels.map((label, n) => [label, values[n] ?? '']));
  if (kind === 'gauge')
    new Gauge({
      ...settings,
      collect() {
        for (const [value, ...values] of read()) this.set(labelled(values), value);
      },
    });
  else
    new Counter({
      ...settings,
      collect() {
        this.reset();
        for (const [value, ...values] of read()) this.inc(labelled(values), value);
      },
    });
}
