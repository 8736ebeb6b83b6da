import { expect, test } from "vitest";
import type { Downward, Upward } from "./frames.ts";
import { createLookup, type Loaded } from "./lookup.ts";
import { createUpstream } from "./upstream.ts";

const LEASE_MS = 8_000;
const key = {
  id: "key_1",
  type: "secret",
  metadata: {},
  account: { id: "acc_1", slug: "acme", externalId: null },
  environment: { id: "env_1", slug: "production" },
  revokedAtMs: null,
  expiresAtMs: null,
} as const;

/** A verifier whose node is played by the test, in a world whose time is a variable. */
function world() {
  let nowMs = 1_000;
  let timers: { atMs: number; task: () => void }[] = [];
  const after = (ms: number, task: () => void) => {
    const timer = { atMs: nowMs + ms, task };
    timers.push(timer);
    return () => {
      timers = timers.filter((each) => each !== timer);
    };
  };
  const lookup = createLookup({
    clocks: { monoMs: () => nowMs, wallMs: () => nowMs },
    load: (digests): Promise<readonly Loaded[]> => upstream.look(digests),
    soon: (task) => queueMicrotask(task),
    after,
  });
  const connections: {
    sent: Upward[];
    closed: boolean;
    frame(frame: Downward): void;
    lose(): void;
  }[] = [];
  const sessions: string[] = [];
  const upstream = createUpstream({
    lookup,
    after,
    random: () => 1,
    onSession: (event) => sessions.push(event),
    open(listener) {
      const connection = {
        sent: [] as Upward[],
        closed: false,
        frame: listener.frame,
        lose: listener.closed,
      };
      connections.push(connection);
      return {
        send: (frame) => void connection.sent.push(frame),
        close: () => {
          connection.closed = true;
        },
      };
    },
  });
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
  const last = () => {
    const connection = connections.at(-1);
    if (connection === undefined) throw new Error("no connection");
    return connection;
  };
  const sent = (type: Upward["type"]) => last().sent.filter((frame) => frame.type === type);
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  /** Loads one key and has the node answer. */
  const warm = async (digest: string, cacheable = true): Promise<void> => {
    const loading = lookup.load(digest);
    await settled();
    const look = last().sent.at(-1);
    if (look?.type !== "look") throw new Error("nothing was looked up");
    last().frame({ type: "found", look: look.look, loaded: [{ key, cacheable }] });
    await loading;
  };
  const welcome = (): void => last().frame({ type: "welcome", leaseMs: LEASE_MS });
  const grant = (ask = 1, ms = LEASE_MS): void => last().frame({ type: "grant", ask, ms });
  return {
    lookup,
    upstream,
    connections,
    sessions,
    pass,
    last,
    sent,
    settled,
    warm,
    welcome,
    grant,
  };
}

test("a sub-lease runs from before it was asked for, less the allowance for clocks", async () => {
  const { lookup, welcome, pass, grant, warm } = world();
  welcome();
  pass(1_000); // the answer took a second
  grant(1, LEASE_MS);
  await warm("d1");
  pass(LEASE_MS * 0.99 - 1_001);
  expect(lookup.find("d1")).toMatchObject({ key: { id: "key_1" } });
  pass(1);
  expect(lookup.find("d1")).toBeUndefined();
});

test("a grant counts for the ask that it names, and for no other", () => {
  const { lookup, welcome, pass, grant, sent } = world();
  welcome();
  pass(2_000);
  expect(sent("ask")).toEqual([
    { type: "ask", ask: 1 },
    { type: "ask", ask: 2 },
  ]);
  grant(1, 4_000);
  expect(lookup.leaseRemainingMs).toBeCloseTo(4_000 * 0.99 - 2_000);
  grant(1, LEASE_MS); // answered already
  grant(9, LEASE_MS); // never asked
  expect(lookup.leaseRemainingMs).toBeCloseTo(4_000 * 0.99 - 2_000);
});

test("a change is applied before it is acknowledged", async () => {
  const { lookup, welcome, grant, warm, last } = world();
  welcome();
  grant();
  await warm("d1");
  last().frame({ type: "change", change: { seq: 5, kind: "key", subject: "d1" } });
  expect(lookup.find("d1")).toBeUndefined();
  expect(last().sent.at(-1)).toEqual({ type: "ack", seq: 5 });
});

test("what the node does not keep is not kept here", async () => {
  const { lookup, welcome, grant, warm } = world();
  welcome();
  grant();
  await warm("d1", false);
  expect(lookup.find("d1")).toBeUndefined();
});

test("it asks again when the node has renewed, and several times a lease or a shorter grant anyhow", () => {
  const { welcome, grant, sent, last, pass } = world();
  welcome();
  expect(sent("ask")).toHaveLength(1);
  last().frame({ type: "renewed" });
  expect(sent("ask")).toHaveLength(2);
  grant(2, 400);
  pass(100);
  expect(sent("ask")).toHaveLength(3);
  grant(3, LEASE_MS);
  pass(1_999);
  expect(sent("ask")).toHaveLength(3);
  pass(1);
  expect(sent("ask")).toHaveLength(4);
});

test("when a connection is lost it goes on for what is left, and starts the next session from an empty cache", async () => {
  const { lookup, welcome, grant, warm, last, pass, connections, sessions } = world();
  welcome();
  grant();
  await warm("d1");
  last().lose();
  expect(lookup.find("d1")).toMatchObject({ key: { id: "key_1" } });
  pass(50);
  expect(connections).toHaveLength(2);
  expect(lookup.find("d1")).not.toBeUndefined();
  welcome();
  expect(lookup.find("d1")).toBeUndefined();
  grant();
  expect(lookup.find("d1")).toBeUndefined();
  expect(sessions).toEqual(["began", "granted", "ended", "began", "granted"]);
});

test("frames of a connection that was given up change nothing", async () => {
  const { lookup, welcome, connections, grant, warm, pass, last } = world();
  welcome();
  const [first] = connections;
  first?.lose();
  pass(50);
  welcome();
  first?.frame({ type: "grant", ask: 1, ms: LEASE_MS });
  expect(lookup.leaseRemainingMs).toBe(0);
  grant();
  await warm("d1");
  first?.frame({ type: "leaving" });
  expect(lookup.find("d1")).not.toBeUndefined();
  expect(last().closed).toBe(false);
});

test("a look that a lost connection leaves open, and one made meanwhile, are asked of the next node", async () => {
  const { lookup, welcome, last, pass, sent, settled, grant } = world();
  welcome();
  grant();
  const cold = lookup.load("d1");
  await settled();
  last().lose();
  const meanwhile = lookup.load("d2");
  await settled();
  pass(50);
  expect(sent("look")).toEqual([]);
  welcome();
  expect(sent("look")).toEqual([
    { type: "look", look: 1, digests: ["d1"] },
    { type: "look", look: 2, digests: ["d2"] },
  ]);
  grant();
  last().frame({ type: "found", look: 1, loaded: [{ key, cacheable: true }] });
  last().frame({ type: "found", look: 2, loaded: [{ key, cacheable: true }] });
  expect((await cold)?.key).toEqual(key);
  expect((await meanwhile)?.key).toEqual(key);
  expect(lookup.find("d1")).toBeUndefined(); // of another session: good for those who waited
  expect(lookup.find("d2")).toBeUndefined();
});

test("when the first attempt to connect again fails, looks fail, and at once from then on", async () => {
  const { upstream, welcome, last, pass, settled, sent } = world();
  welcome();
  const look = upstream.look(["d1"]);
  let failed = false;
  look.catch(() => {
    failed = true;
  });
  last().lose();
  pass(50);
  await settled();
  expect(failed).toBe(false);
  last().lose();
  await expect(look).rejects.toMatchObject({ code: "verification_unavailable" });
  await expect(upstream.look(["d2"])).rejects.toMatchObject({ code: "verification_unavailable" });
  pass(100);
  welcome();
  expect(sent("look")).toEqual([]);
});

test("closing between two sessions fails the looks that wait", async () => {
  const { upstream, welcome, last } = world();
  welcome();
  const look = upstream.look(["d1"]);
  last().lose();
  upstream.close();
  await expect(look).rejects.toMatchObject({ code: "verification_unavailable" });
});

test("a node that leaves is left: nothing held is believed, it is released, and another is asked", async () => {
  const { lookup, welcome, grant, warm, last, connections, pass } = world();
  welcome();
  grant();
  await warm("d1");
  const first = last();
  first.frame({ type: "leaving" });
  expect(lookup.find("d1")).toBeUndefined();
  expect(lookup.leaseRemainingMs).toBe(0);
  expect(first.sent.at(-1)).toEqual({ type: "release" });
  expect(first.closed).toBe(true);
  pass(50);
  expect(connections).toHaveLength(2);
});

test("an ask that stays unanswered for half a lease gives the connection up", () => {
  const { welcome, pass, last, connections } = world();
  welcome();
  const first = last();
  pass(LEASE_MS / 2);
  expect(first.closed).toBe(false);
  pass(LEASE_MS / 4);
  expect(first.closed).toBe(true);
  pass(1_000);
  expect(connections.length).toBeGreaterThan(1);
});

test("a connection that is not welcomed in time is given up, and pauses grow up to a second", () => {
  const { pass, connections, last } = world();
  pass(1_999);
  expect(last().closed).toBe(false);
  pass(1);
  expect(connections[0]?.closed).toBe(true);
  for (let tries = 0; tries < 8; tries++) {
    pass(1_000);
    last().lose();
  }
  const before = connections.length;
  pass(999);
  expect(connections).toHaveLength(before);
  pass(1);
  expect(connections).toHaveLength(before + 1);
});

test.each<Downward>([
  { type: "change", change: { seq: 1, kind: "key", subject: "d" } },
  { type: "grant", ask: 1, ms: 1_000 },
])("a node that says $type before it welcomes is not listened to", (frame) => {
  const { last, lookup } = world();
  last().frame(frame);
  expect(last().closed).toBe(true);
  expect(lookup.leaseRemainingMs).toBe(0);
});

test("closing stops believing, releases, and connects no more", async () => {
  const { lookup, upstream, welcome, grant, warm, last, connections, pass, sessions } = world();
  welcome();
  grant();
  await warm("d1");
  upstream.close();
  expect(lookup.find("d1")).toBeUndefined();
  expect(last().sent.at(-1)).toEqual({ type: "release" });
  expect(last().closed).toBe(true);
  last().lose();
  pass(60_000);
  expect(connections).toHaveLength(1);
  expect(sessions).toEqual(["began", "granted", "ended"]);
  await expect(upstream.look(["d1"])).rejects.toMatchObject({ code: "verification_unavailable" });
});

test("an answer to a look reaches those who asked, each its own digest", async () => {
  const { upstream, welcome, last } = world();
  welcome();
  const looks = [upstream.look(["d1"]), upstream.look(["d2"])];
  last().frame({ type: "unavailable", look: 2 });
  last().frame({ type: "found", look: 1, loaded: [{ key: null, cacheable: true }] });
  expect(await looks[0]).toEqual([{ key: null, cacheable: true }]);
  await expect(looks[1]).rejects.toMatchObject({ code: "verification_unavailable" });
});
