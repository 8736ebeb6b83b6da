import { createLookup, type Downward, type KeyRecord, type Loaded } from "@latchkey/sdk/core";
import { expect, test } from "vitest";
import { ambientOf } from "../../ambient.ts";
import { createBelow } from "./below.ts";

const LEASE_MS = 16_000;

const key: KeyRecord = {
  id: "key_1",
  type: "secret",
  metadata: {},
  account: { id: "acc_1", slug: "acme", externalId: null },
  environment: { id: "env_1", slug: "production" },
  revokedAtMs: null,
  expiresAtMs: null,
};

/** A node with a lease that can be set, in a world whose time is a variable. */
function world() {
  let nowMs = 1_000;
  let timers: { atMs: number; task: () => void }[] = [];
  const clocks = { monoMs: () => nowMs, wallMs: () => nowMs };
  const after = (ms: number, task: () => void) => {
    const timer = { atMs: nowMs + ms, task };
    timers.push(timer);
    return () => {
      timers = timers.filter((each) => each !== timer);
    };
  };
  const ambient = {
    ...ambientOf({
      nowMs: () => nowMs,
      monoMs: () => nowMs,
      randomBytes: (n) => new Uint8Array(n),
    }),
    after,
  };
  const answers = new Map<string, Loaded>();
  const lookup = createLookup({
    clocks,
    load: async (digests) =>
      digests.map((digest) => answers.get(digest) ?? { key: null, cacheable: true }),
    soon: (task) => queueMicrotask(task),
    after,
  });
  const reported: string[] = [];
  let acknowledgements = 0;
  const below = createBelow({
    lookup,
    ambient,
    leaseMs: LEASE_MS,
    report: async (source, batch, hurry) => {
      if (batch.number === 2) throw new Error("the store is gone");
      reported.push(`${source} ${batch.number} ${hurry}`);
    },
    onAcknowledged: () => {
      acknowledgements += 1;
    },
  });
  let seq = 0;
  const change = (subject?: string): number => {
    seq += 1;
    below.apply({ seq, id: `chg_${seq}`, kind: "key", subject: subject ?? `d${seq}` });
    return seq;
  };
  const open = (id = "vt_1") => {
    const frames: Downward[] = [];
    let closed = false;
    const connection = {
      send: (frame: Downward) => void frames.push(frame),
      close: () => {
        closed = true;
      },
    };
    const session = below.open(connection, { id, digest: `digest of ${id}` });
    let asks = 0;
    return {
      ...session,
      frames,
      isClosed: () => closed,
      /** Asks, and returns what was granted at once. */
      ask() {
        asks += 1;
        session.receive({ type: "ask", ask: asks });
        const last = frames.at(-1);
        return last?.type === "grant" && last.ask === asks ? last.ms : null;
      },
      ack: (acked: number) => session.receive({ type: "ack", seq: acked }),
      of: (type: Downward["type"]) => frames.filter((frame) => frame.type === type),
    };
  };
  const pass = (ms: number): void => {
    const endMs = nowMs + ms;
    for (;;) {
      const [due] = timers.filter((each) => each.atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (due === undefined) break;
      timers = timers.filter((each) => each !== due);
      nowMs = Math.max(nowMs, due.atMs);
      due.task();
    }
    nowMs = endMs;
  };
  const lease = (ms = LEASE_MS): void => lookup.grant(lookup.clock.read(), ms);
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    below,
    open,
    change,
    pass,
    lease,
    answers,
    lookup,
    settled,
    acks: () => acknowledgements,
    reported,
  };
}

test("a session is welcomed with the length of a lease, and granted what is left of the node's own", () => {
  const { open, lease, pass } = world();
  lease(10_000);
  const app = open();
  expect(app.frames).toEqual([{ type: "welcome", leaseMs: LEASE_MS }]);
  pass(4_000);
  expect(app.ask()).toBe(6_000);
});

test("without a lease of its own a node grants nothing until it has renewed, and then answers the ask that waits", () => {
  const { below, open, lease } = world();
  const app = open();
  expect(app.ask()).toBeNull();
  lease(5_000);
  below.renewed();
  expect(app.of("grant")).toEqual([{ type: "grant", ask: 1, ms: 5_000 }]);
});

test("a change is acknowledged when every session with a sub-lease has acknowledged it", () => {
  const { below, open, change, lease, acks } = world();
  lease();
  const [one, two, idle] = [open("a"), open("b"), open("c")];
  one.ask();
  two.ask();
  const seq = change();
  expect(below.acknowledgedSeq).toBe(seq - 1);
  one.ack(seq);
  expect(below.acknowledgedSeq).toBe(seq - 1);
  expect(acks()).toBe(0);
  two.ack(seq);
  expect(below.acknowledgedSeq).toBe(seq);
  expect(acks()).toBe(1);
  expect(idle.of("change")).toHaveLength(1); // it had nothing granted, and was told all the same
});

test("changes are acknowledged in order, however the acknowledgements come", () => {
  const { below, open, change, lease } = world();
  lease();
  const [one, two] = [open("a"), open("b")];
  one.ask();
  two.ask();
  const first = change();
  const second = change();
  one.ack(second);
  expect(below.acknowledgedSeq).toBe(first - 1);
  two.ack(first);
  expect(below.acknowledgedSeq).toBe(first);
  two.ack(second);
  expect(below.acknowledgedSeq).toBe(second);
});

test("who owes an acknowledgement is granted nothing, and is outlived by the grant and the allowance, not sooner", () => {
  const { below, open, change, lease, pass } = world();
  lease(10_000);
  const app = open();
  expect(app.ask()).toBe(10_000);
  const seq = change();
  lease(LEASE_MS);
  expect(app.ask()).toBeNull();
  pass(10_099);
  expect(below.acknowledgedSeq).toBe(seq - 1);
  pass(2);
  expect(below.acknowledgedSeq).toBe(seq);
  lease(LEASE_MS);
  expect(app.ask()).toBeNull(); // outlived is not acknowledged
  app.ack(seq);
  expect(app.of("grant").at(-1)).toMatchObject({ ask: 3 });
});

test("a later, shorter grant does not shorten what is waited for", () => {
  const { below, open, change, lease, pass } = world();
  lease(10_000);
  const app = open();
  app.ask();
  pass(100);
  app.ask(); // 9,900 ms left: ends with the first
  const seq = change();
  pass(9_999);
  expect(below.acknowledgedSeq).toBe(seq - 1);
  pass(200);
  expect(below.acknowledgedSeq).toBe(seq);
});

test("a holder that misses acknowledgements is granted half as long each time, down to a sixteenth; timely ones double", () => {
  const { below, open, change, lease, pass } = world();
  const granted: (number | null)[] = [];
  for (let missed = 0; missed < 6; missed++) {
    lease(LEASE_MS);
    const app = open("slow");
    granted.push(app.ask());
    change();
    pass(LEASE_MS * 1.02);
    app.closed();
  }
  expect(granted).toEqual([16_000, 8_000, 4_000, 2_000, 1_000, 1_000]);
  expect([...below.curtailed]).toEqual([["slow", 1_000]]);
  lease(LEASE_MS);
  expect(open("another").ask()).toBe(16_000);
  const app = open("slow");
  for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000]) {
    expect(app.ask()).toBe(ms);
    app.ack(change());
  }
  expect(below.curtailed.size).toBe(0);
});

test("a closed connection proves nothing: what it was granted is waited out", () => {
  const { below, open, change, lease, pass } = world();
  lease(10_000);
  const app = open();
  app.ask();
  app.closed();
  expect(below.size).toBe(1);
  const seq = change();
  pass(10_000);
  expect(below.acknowledgedSeq).toBe(seq - 1);
  pass(101);
  expect(below.acknowledgedSeq).toBe(seq);
  expect(below.size).toBe(0);
});

test("a release ends the wait at once", () => {
  const { below, open, change, lease } = world();
  lease();
  const app = open();
  app.ask();
  const seq = change();
  app.receive({ type: "release" });
  expect(below.acknowledgedSeq).toBe(seq);
  expect(below.size).toBe(0);
  expect(app.isClosed()).toBe(true);
  expect(below.curtailed.size).toBe(0);
});

test.each([
  ["of a change that was never sent", 2],
  ["of what was acknowledged before", 0],
])("an acknowledgement %s ends the session", (_, seq) => {
  const { open, change, lease } = world();
  lease();
  const app = open();
  app.ask();
  change();
  app.ack(seq);
  expect(app.isClosed()).toBe(true);
});

test("a session that falls silent for a lease is ended, and not counted for ever", () => {
  const { below, open, lease, pass } = world();
  lease(1_000);
  const app = open();
  app.ask();
  pass(LEASE_MS + 1);
  below.renewed();
  expect(app.isClosed()).toBe(true);
  expect(below.size).toBe(0);
});

test("what a node holds under a lease may be kept below; what it does not keep itself may not", async () => {
  const { open, lease, answers, settled } = world();
  answers.set("kept", { key, cacheable: true });
  answers.set("tainted", { key, cacheable: false });
  const app = open();
  app.receive({ type: "look", look: 1, digests: ["kept"] }); // no lease runs
  await settled();
  lease();
  app.receive({ type: "look", look: 2, digests: ["kept", "tainted", "nobody's"] });
  await settled();
  expect(app.of("found")).toEqual([
    { type: "found", look: 1, loaded: [{ key, cacheable: false }] },
    {
      type: "found",
      look: 2,
      loaded: [
        { key, cacheable: true },
        { key, cacheable: false },
        { key: null, cacheable: true },
      ],
    },
  ]);
});

test("a change that is applied while a look is answered keeps its answer out of caches below", async () => {
  const { open, below, lookup, lease, answers, settled } = world();
  lease();
  answers.set("d1", { key, cacheable: true });
  const app = open();
  app.receive({ type: "look", look: 1, digests: ["d1"] });
  const change = { seq: 1, id: "chg_1", kind: "key", subject: "d1" } as const;
  lookup.apply(change);
  below.apply(change);
  await settled();
  expect(app.frames.map((frame) => frame.type)).toEqual(["welcome", "change", "found"]);
  expect(app.of("found")).toEqual([
    { type: "found", look: 1, loaded: [{ key, cacheable: false }] },
  ]);
});

test("more looks at one time than any verifier has use for end the session", () => {
  const { open } = world();
  const app = open();
  for (let look = 1; look <= 101; look++) app.receive({ type: "look", look, digests: ["d"] });
  expect(app.isClosed()).toBe(true);
});

test("leaving asks everybody to release, grants nothing more, and ends when the last sub-lease has run out", async () => {
  const { below, open, lease, pass, settled } = world();
  lease(10_000);
  const [polite, silent] = [open(), open()];
  polite.ask();
  silent.ask();
  let gone = false;
  void below.leave().then(() => {
    gone = true;
  });
  expect(polite.frames.at(-1)).toEqual({ type: "leaving" });
  expect(polite.ask()).toBeNull();
  polite.receive({ type: "release" });
  expect(open().isClosed()).toBe(true);
  pass(10_000);
  await settled();
  expect(gone).toBe(false);
  pass(101);
  await settled();
  expect(gone).toBe(true);
});

test("with a new row every session is ended and owes nothing to it", () => {
  const { below, open, change, lease } = world();
  lease();
  const app = open();
  app.ask();
  change();
  below.restart(7);
  expect(app.isClosed()).toBe(true);
  expect(below.acknowledgedSeq).toBe(7);
  expect(below.size).toBe(0);
  app.ask(); // its connection is closed: nobody hears
  expect(below.size).toBe(0);
});

test("a session whose token is deleted is asked to release, granted nothing more, and waited for", () => {
  const { below, open, change, lease } = world();
  lease();
  const [mine, other] = [open("mine"), open("other")];
  mine.ask();
  other.ask();
  const seq = change("digest of mine");
  expect(mine.frames.map((frame) => frame.type)).toEqual(["welcome", "grant", "change", "leaving"]);
  expect(other.frames.map((frame) => frame.type)).toEqual(["welcome", "grant", "change"]);
  other.ack(seq);
  mine.ack(seq);
  expect(mine.ask()).toBeNull();
  mine.receive({ type: "release" });
  expect(mine.isClosed()).toBe(true);
  expect(other.isClosed()).toBe(false);
  expect(below.acknowledgedSeq).toBe(seq);
});

test("a dismissed session that does not release is closed when its sub-lease has run out", () => {
  const { below, open, change, lease, pass } = world();
  lease(10_000);
  const app = open("mine");
  app.ask();
  app.ack(change("digest of mine"));
  pass(10_000);
  expect(app.isClosed()).toBe(false);
  pass(101);
  expect(app.isClosed()).toBe(true);
  expect(below.size).toBe(0);
});

test("usage is acknowledged when it is stored, and not before", async () => {
  const { open, reported, settled } = world();
  const app = open();
  const batch = { counts: [], callers: [], refusals: [] };
  app.receive({ type: "usage", source: "src_1", hurry: true, batch: { number: 1, ...batch } });
  app.receive({ type: "usage", source: "src_1", hurry: false, batch: { number: 2, ...batch } }); // cannot be stored
  expect(app.of("stored")).toEqual([]);
  await settled();
  expect(app.of("stored")).toEqual([{ type: "stored", batch: 1 }]);
  expect(reported).toEqual(["src_1 1 true"]);
});
