/**
 * Writes protocol/vectors/ and the tables of protocol/SPEC.md (`npm run vectors`, from the project's root). What can be
 * made again to the byte is; the recorded vector stays as long as it verifies. So an unchanged protocol leaves no change.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { madeCases, RECORDED } from './cases.js';
import { readVectors, specFile, vectorsFolder, vectorText, writeChanged, type Vector } from './format.js';
import { ensureTestKeys } from './keys.js';
import { makeOpaque } from './opaque.js';
import { withTables } from './spec-tables.js';
import { verifyVector } from './verify.js';

async function recordedStillHolds(vector: Vector | undefined): Promise<boolean> {
  if (!vector) return false;
  try {
    await verifyVector(vector);
    return true;
  } catch {
    return false; // whatever differs: it is made anew, and the new one is verified below
  }
}

async function make(): Promise<readonly string[]> {
  await mkdir(vectorsFolder, { recursive: true });
  const before = await readVectors();
  const cases = new Map(await madeCases(await ensureTestKeys()));
  const recorded = before.get(RECORDED);
  cases.set(RECORDED, recorded && (await recordedStillHolds(recorded)) ? recorded : await makeOpaque());
  const changed: string[] = [];
  for (const [file, vector] of cases) {
    await verifyVector(vector);
    if (await writeChanged(join(vectorsFolder, `${file}.json`), vectorText(vector))) changed.push(file);
  }
  for (const file of before.keys()) {
    if (cases.has(file)) continue;
    await rm(join(vectorsFolder, `${file}.json`));
    changed.push(`${file} (removed)`);
  }
  if (await writeChanged(specFile, withTables(await readFile(specFile, 'utf8')))) changed.push('SPEC.md');
  return changed;
}

const changed = await make();
console.log(changed.length === 0 ? 'vectors: nothing changed' : `vectors: wrote ${changed.join(', ')}`);
