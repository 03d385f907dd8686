/**
 * A mailbox between slow and failing disks, clients that acknowledge when they please, and senders: nothing is lost, comes
 * twice or out of order, everything is answered once, and all is live again in the end.
 */
import type { Mailbox } from '../../src/server/mailbox.js';
import { findsBug, fuzz } from '../support/fuzz.js';
import { World } from './mailbox-world.js';

const asItIs = (box: Mailbox): Mailbox => box;

fuzz('a mailbox', 1000, (draws) => new World(draws, asItIs).plays());

findsBug('acknowledgements that are lost', 20, (draws) =>
  new World(draws, (box) => {
    const acknowledge = box.acknowledge.bind(box);
    box.acknowledge = (ids) => {
      acknowledge(ids.slice(1));
    };
    return box;
  }).plays(),
);

findsBug('a queue that nobody drains', 20, (draws) =>
  new World(draws, (box) => {
    box.drain = () => Promise.resolve();
    return box;
  }).plays(),
);
