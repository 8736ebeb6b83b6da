/** Measures the bytes of memory that one held key takes, when many were loaded by the real path. */
import { setTimeout as sleep } from "node:timers/promises";
import { ASK, openVerification, tokenOf } from "../world.mjs";

/** Loaded before the first reading, so that code and statements are not counted as keys. */
const FIRST = 2_000;
/** Uses are written every second; what waits to be written is not the cache. */
const SETTLE_MS = 2_500;
const TRIES_MAX = 500;

const { folder, keys, batch } = JSON.parse(process.argv[2]);
const { verify, close } = await openVerification(folder);

/** Loads keys until they are held: what is loaded while the lease has lapsed is not kept. */
async function load(from, to) {
  for (let at = from; at < to; at += batch) {
    const indexes = Array.from({ length: Math.min(batch, to - at) }, (_, offset) => at + offset);
    for (let tries = 0; !(await held(indexes)); tries++) {
      if (tries > TRIES_MAX) throw new Error("the keys are not kept");
      if (tries > 0) await sleep(20);
    }
  }
}

/** Asks for all; whether all were answered at once, so are held. */
async function held(indexes) {
  const answers = indexes.map((index) => verify(tokenOf(index), ASK, "req_load"));
  const verdicts = await Promise.all(answers);
  if (!verdicts.every((verdict) => verdict.ok)) throw new Error("a stored key was refused");
  return !answers.some((answer) => answer instanceof Promise);
}

/** Bytes in use after the garbage is collected. `external` includes the array buffers. */
async function bytes() {
  await sleep(SETTLE_MS);
  for (let times = 0; times < 4; times++) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return { heapUsed, external };
}

await load(0, FIRST);
const before = await bytes();
await load(FIRST, keys);
const after = await bytes();
const added = keys - FIRST;
const heap = (after.heapUsed - before.heapUsed) / added;
const external = (after.external - before.external) / added;
await close();
process.stdout.write(JSON.stringify({ bytes: heap + external, heap, external }));
