/** Which command a struct is: by opcode and step together, all 256 of the steps that stand on the wire. */
import { test } from 'tap';
import { commandStruct, Opcode } from '../../protocol/index.js';
import { findRow } from '../../src/server/dispatch.js';

test('no opcode and step are taken for others', (t) => {
  const wrong: string[] = [];
  let found = 0;
  for (const [name, opcode] of Object.entries(Opcode))
    for (let step = 0; step < 256; step++) {
      const row = findRow(opcode, step);
      if (row) found++;
      if (row && (row.struct.opcode !== opcode || row.struct.step !== step)) wrong.push(`${name} ${String(step)}`);
      if (row && commandStruct(opcode, step) !== row.struct) wrong.push(`${name} ${String(step)} has no layout`);
    }
  t.same(wrong, []);
  t.ok(found > 30, `${String(found)} commands`);
  t.end();
});
