/** One way of verifying 1,000 warm tokens: answers each message with the CPU time of one batch, in ns for each token. */
import { hash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ASK, headerOf, openVerification, tokenOf } from "../world.mjs";

const TOKENS = 1_000;
const CALLER = { address: "192.0.2.1", userAgent: "orders/4.2 (linux)" };
/** A batch is some 20 to 100 ms; between two the lease is renewed and uses are written, as in a server. */
const BATCH_ROUNDS = 50;
const WARM_UP_BATCHES = 6;
/**
 * A batch during which the lease lapsed is measured again: on a crowded machine this process can lose its core between
 * the readings of the two clocks, which then disagree.
 */
const LAPSES_MAX = 40;
const LEASE_TIMEOUT_MS = 20_000;

const { variant, folder } = JSON.parse(process.argv[2]);
const kind = variant === "unknown" ? "made-up" : "stored";
const tokens = Array.from({ length: TOKENS }, (_, index) => tokenOf(index, kind));

/** What a hand-written check would cost at the least: no lease, no expiry, no header, no refusal. */
function bare() {
  const held = new Map();
  for (const token of tokens) held.set(hash("sha256", token, "base64url"), { id: `key ${token}` });
  return {
    inputs: tokens,
    check(token) {
      const key = held.get(hash("sha256", token, "base64url"));
      return key !== undefined ? key.id.length : -1;
    },
    async close() {},
  };
}

/** The same without the look-up, to tell what of the rest is hashing. */
function hashOnly() {
  return {
    inputs: tokens,
    check: (token) => hash("sha256", token, "base64url").length,
    async close() {},
  };
}

async function latchkey() {
  const { verify, close } = await openVerification(folder);
  const expected = variant !== "unknown";
  const caller = variant === "called" ? CALLER : undefined;
  const inputs = tokens.map(headerOf);
  for (const header of inputs) {
    const verdict = await verify(header, ASK, "req_warm");
    if (verdict.ok !== expected) throw new Error("a verdict is not what was stored");
  }
  return {
    inputs,
    check(header) {
      const verdict = verify(header, ASK, "req_warm", caller);
      if (verdict.ok !== expected) return -1; // a promise too: the key was not warm
      return verdict.ok ? verdict.key.id.length : verdict.refusal.message.length;
    },
    close,
  };
}

/** ns for each check, or `null` when the lease lapsed meanwhile. */
function batch({ inputs, check }) {
  let consumed = 0;
  const started = process.cpuUsage();
  for (let round = 0; round < BATCH_ROUNDS; round++)
    for (let at = 0; at < inputs.length; at++) {
      const result = check(inputs[at]);
      if (result < 0) return null;
      consumed += result;
    }
  const { user, system } = process.cpuUsage(started);
  if (consumed === 0) throw new Error("nothing was checked");
  return ((user + system) * 1e3) / (BATCH_ROUNDS * inputs.length);
}

async function untilLeased({ inputs, check }) {
  const endMs = performance.now() + LEASE_TIMEOUT_MS;
  while (check(inputs[0]) < 0) {
    if (performance.now() > endMs) throw new Error("no lease");
    await sleep(20);
  }
}

async function makeSubject() {
  if (variant === "bare") return bare();
  return variant === "hash" ? hashOnly() : await latchkey();
}

async function measure(subject) {
  for (let lapses = 0; lapses <= LAPSES_MAX; lapses++) {
    const ns = batch(subject);
    if (ns !== null) return ns;
    await untilLeased(subject);
  }
  throw new Error("the lease lapses all the time");
}

const subject = await makeSubject();
for (let at = 0; at < WARM_UP_BATCHES; at++) await measure(subject);
process.on("message", async () => process.send(await measure(subject)));
process.on("disconnect", () => subject.close());
process.send("ready");
