/** The load of another broker, in a process of its own: MQTT clients over TLS, QoS 1, in pairs or many at one topic. */
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { inParallel } from './at-once.js';
import { obeyParent } from './child.js';
import { connect, Packet, Packets, puback, publish, publishId, subscribe } from './mqtt.js';

export interface MqttSetup {
  readonly port: number;
  /** PEM: what the broker shows */
  readonly certificate: string;
  readonly payload: number;
}

export type MqttOrder =
  | { readonly kind: 'topics'; readonly topics: number; readonly readers: number }
  | { readonly kind: 'route'; readonly seconds: number; readonly window: number };

export interface MqttFlooded {
  readonly messages: number;
  readonly ms: number;
}

type Each = (type: number, body: Buffer) => void;

/** New messages leave in one write, as many as this at least: as ours do. */
const GATHERED = 8;
const MAX_ID = 0xffff;

const setup = JSON.parse(process.argv[2] ?? '{}') as MqttSetup;
const payload = Buffer.alloc(setup.payload, 'x');

class Client {
  readonly #socket: TLSSocket;
  readonly #packets = new Packets();
  each: Each = () => undefined;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#packets.push(chunk, (type, body) => {
        this.each(type, body);
      });
    });
  }

  static async open(name: string): Promise<Client> {
    /* The certificate is the bench's own and names no address. */
    const options = { host: '127.0.0.1', port: setup.port, minVersion: 'TLSv1.3', ca: setup.certificate } as const;
    const socket = connectTls({ ...options, checkServerIdentity: () => undefined });
    await once(socket, 'secureConnect');
    const client = new Client(socket);
    await client.ask(connect(name), Packet.connack);
    return client;
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** The first packet that comes has to be this one. */
  ask(bytes: Buffer, wanted: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.each = (type) => {
        if (type === wanted) resolve();
        else reject(new Error(`mqtt: ${String(type)} instead of ${String(wanted)}`));
      };
      this.#socket.once('error', reject);
      this.write(bytes);
    });
  }
}

/** A message is done when its writer has the PUBACK and its readers have the message. */
class Topic {
  readonly #writer: Client;
  readonly #readers: readonly Client[];
  readonly #topic: string;
  #sent = 0;
  #acked = 0;
  #got = 0;

  constructor(writer: Client, readers: readonly Client[], topic: string) {
    this.#writer = writer;
    this.#readers = readers;
    this.#topic = topic;
  }

  get done(): number {
    return Math.min(this.#acked, Math.floor(this.#got / this.#readers.length));
  }

  flood(window: number, end: number): Promise<void> {
    return new Promise((resolve) => {
      const turn = (): void => {
        const room = window - (this.#sent - this.done);
        if (performance.now() < end) {
          if (room >= Math.min(window, GATHERED)) this.#post(room);
        } else if (room === window) resolve();
      };
      for (const reader of this.#readers) this.#read(reader, turn);
      this.#writer.each = (type) => {
        if (type !== Packet.puback) return;
        this.#acked++;
        turn();
      };
      turn();
    });
  }

  #read(reader: Client, turn: () => void): void {
    let acks: Buffer[] = [];
    reader.each = (type, body) => {
      if (type !== Packet.publish) return;
      this.#got++;
      /* All that one turn of the loop brought is acknowledged in one write. */
      if (acks.length === 0)
        setImmediate(() => {
          reader.write(Buffer.concat(acks));
          acks = [];
          turn();
        });
      acks.push(puback(publishId(body)));
    };
  }

  #post(many: number): void {
    const packets = Array.from({ length: many }, () => publish(this.#topic, (this.#sent++ % MAX_ID) + 1, payload));
    this.#writer.write(Buffer.concat(packets));
  }
}

async function makeTopic(at: number, count: number): Promise<Topic> {
  const topic = `topic/${String(at)}`;
  const readers = await inParallel(count, async (n) => {
    const reader = await Client.open(`reader${String(at)}/${String(n)}`);
    await reader.ask(subscribe(topic), Packet.suback);
    return reader;
  });
  return new Topic(await Client.open(`writer${String(at)}`), readers, topic);
}

let topics: Topic[] = [];

async function route(seconds: number, window: number): Promise<MqttFlooded> {
  const before = topics.reduce((sum, { done }) => sum + done, 0);
  const began = performance.now();
  await Promise.all(topics.map((topic) => topic.flood(window, began + 1000 * seconds)));
  const messages = topics.reduce((sum, { done }) => sum + done, 0) - before;
  return { messages, ms: performance.now() - began };
}

await obeyParent(async (order: MqttOrder) => {
  if (order.kind === 'route') return route(order.seconds, order.window);
  topics = await inParallel(order.topics, (at) => makeTopic(at, order.readers));
  return { topics: topics.length };
});
