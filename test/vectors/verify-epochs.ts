/** The vectors of epochs through the code: both sides send and receive what is recorded. */
import { concat, Label, Session, type EpochStart, type SyncCrypto } from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, rsaPrivate, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { oaepSealWith } from './fixed-crypto.js';
import type { Vector } from './format.js';
import { expectEqual, Reader } from './reader.js';
import { epochSchedule } from './schedule.js';

class End {
  readonly session: Session;
  readonly got: Uint8Array[] = [];
  elapsed = 0;
  held = false;
  refused = false;
  blocks = 0;
  /** What the next turn draws. */
  turn: Reader | undefined;

  constructor(role: 'client' | 'daemon', from: Reader, theirs: NodeRsaPrivate, own: NodeRsaPrivate) {
    const drawn = (name: string): Uint8Array => {
      if (!this.turn) throw new Error('a turn that the vector does not have');
      return this.turn.bytes(name);
    };
    const sync: SyncCrypto = {
      ...nodeSync,
      random: () => drawn('secret'),
      oaepSeal: (modulus, label, plain) => oaepSealWith(drawn('oaepSeed'), modulus, label, plain),
    };
    this.session = new Session(sync, role, from.bytes('ck2'), from.bytes('th2'), from.bytes('b1'));
    const epochs: EpochStart = {
      keys: {
        theirs: theirs.modulus,
        open: (block) => {
          this.blocks++;
          return nodeAsymmetric.oaepOpen(own, Label.epoch, block);
        },
      },
      host: {
        elapsed: () => this.elapsed,
        hold: (held) => {
          this.held = held;
        },
        refused: () => {
          this.refused = true;
        },
      },
    };
    const secret = concat(from.bytes('s2'), from.bytes('opaqueSessionKey'));
    this.session.authenticated(secret, from.bytes('th3'), from.bytes('b2'), epochs);
  }

  /** Whether the frame was accepted, its block too. */
  async receive(frame: Uint8Array): Promise<boolean> {
    const sound = this.session.receive.push(frame, (struct) => this.got.push(struct) > 0);
    while (this.held && !this.refused) await new Promise((resolve) => setImmediate(resolve));
    return sound && !this.refused;
  }
}

export async function verifyEpochs(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const [server, enc] = [rsaPrivate(from.bytes('serverPrivate')), rsaPrivate(from.bytes('encPrivate'))];
  const ends = { client: new End('client', from, server, enc), daemon: new End('daemon', from, enc, server) };
  const start = {
    ck2: from.bytes('ck2'),
    th3: from.bytes('th3'),
    s2: from.bytes('s2'),
    opaqueSessionKey: from.bytes('opaqueSessionKey'),
  };
  const schedules = { client: epochSchedule('c2s', start), daemon: epochSchedule('s2c', start) };
  for (const sent of from.rows('frames')) {
    const side = sent.text('from') as 'client' | 'daemon';
    const [sender, receiver] = side === 'client' ? [ends.client, ends.daemon] : [ends.daemon, ends.client];
    for (const end of [sender, receiver]) end.elapsed = sent.number('elapsed');
    sender.turn = 'turn' in (sent.json as object) ? sent.at('turn') : undefined;
    sender.session.send.add(sent.bytes('struct'));
    expectEqual('frame', sender.session.send.take(), sent.bytes('frame'));
    const { blocks } = receiver;
    expectEqual('accepted', await receiver.receive(sent.bytes('frame')), true);
    expectEqual('struct', receiver.got.at(-1), sent.bytes('struct'));
    expectEqual('blocks opened', receiver.blocks - blocks, sender.turn ? 1 : 0);
    if (sender.turn)
      for (const [name, value] of Object.entries(schedules[side](sender.turn.bytes('secret'))))
        expectEqual(name, value, sender.turn.bytes(name));
  }
  if (vector.expect === 'accepted') return;
  const { daemon } = ends;
  daemon.elapsed = from.number('elapsed');
  const before = daemon.got.length;
  expectEqual('accepted', await daemon.receive(from.bytes('frame')), false);
  expectEqual('private operations', daemon.blocks, vector.step === 'block' ? 1 : 0);
  expectEqual('handled', daemon.got.length - before, vector.step === 'block' ? 1 : 0);
}
