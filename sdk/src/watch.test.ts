import { afterEach, expect, test, vi } from "vitest";
import type { KeyRecord } from "./judge.ts";
import { createLookup, type Loaded } from "./lease/lookup.ts";
import { createWatch } from "./watch.ts";

const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
afterEach(() => warned.mockClear());

const record = (id: string): KeyRecord => ({
  id,
  type: "secret",
  metadata: {},
  account: { id: "acc_1", slug: "acme", externalId: null },
  environment: { id: id === "key_9" ? "env_9" : "env_1", slug: "production" },
  revokedAtMs: null,
  expiresAtMs: null,
});

/** Watches keys `key_N`, whose digests are `dN`, over a node that the test plays. */
function world(keysMax = 100_000) {
  let timers: (() => void)[] = [];
  const revoked = new Set<string>();
  const queries: (readonly string[])[] = [];
  const node = { answers: true };
  const after = (_ms: number, task: () => void) => {
    timers.push(task);
    return () => {
      timers = timers.filter((each) => each !== task);
    };
  };
  const lookup = createLookup({
    clocks: { monoMs: () => 0, wallMs: () => 0 },
    async load(digests): Promise<Loaded[]> {
      queries.push(digests);
      if (!node.answers) throw new Error("the node is gone");
      const loaded = digests.map((digest) => {
        const key = record(digest.replace("d", "key_"));
        const revokedAtMs = revoked.has(digest) ? 1 : null;
        return { key: { ...key, revokedAtMs }, cacheable: true };
      });
      watch.loaded(digests, loaded);
      return loaded;
    },
    soon: (task) => void setImmediate(task),
    after,
    bounds: { keysMax, loadTimeoutMs: 1e9 },
  });
  lookup.grant(lookup.clock.read(), 1_000);
  const watch = createWatch({ lookup, after, keysMax });
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const calls: string[] = [];
  return {
    lookup,
    watch,
    queries,
    node,
    calls,
    settled,
    timers: () => timers.length,
    runTimers: () => {
      for (const task of timers.splice(0)) task();
    },
    verified: (digest: string) => lookup.load(digest),
    call: (name: string) => () => void calls.push(name),
    /** A change as the upstream applies it. */
    change(kind: "key" | "environment" | "account", subject: string) {
      lookup.apply({ kind, subject });
      watch.changed({ kind, subject });
    },
    revoke(digest: string) {
      revoked.add(digest);
      lookup.apply({ kind: "key", subject: digest });
      watch.changed({ kind: "key", subject: digest });
    },
    revoked,
  };
}

test("a key that is revoked calls back once, and no other does", async () => {
  const { watch, verified, revoke, call, calls, settled } = world();
  await Promise.all([verified("d1"), verified("d2")]);
  watch.onRevoked("key_1", call("one"));
  watch.onRevoked("key_1", call("one again"));
  watch.onRevoked("key_2", call("two"));
  await settled();
  expect(calls).toEqual([]);
  revoke("d1");
  revoke("d1");
  await settled();
  expect(calls).toEqual(["one", "one again"]);
});

test("one callback given twice is called for each, until its own watch is ended", async () => {
  const { watch, verified, revoke, call, calls, settled } = world();
  await verified("d1");
  const callback = call("one");
  const end = watch.onRevoked("key_1", callback);
  watch.onRevoked("key_1", callback);
  end();
  end();
  revoke("d1");
  await settled();
  expect(calls).toEqual(["one"]);
});

test("a watch that was ended hears nothing, and asks nothing", async () => {
  const { watch, verified, revoke, call, calls, settled, queries } = world();
  await verified("d1");
  watch.onRevoked("key_1", call("one"))();
  await settled();
  const before = queries.length;
  revoke("d1");
  await settled();
  expect(calls).toEqual([]);
  expect(queries).toHaveLength(before);
});

test("a key that was revoked since it was loaded calls back at once", async () => {
  const { watch, verified, lookup, revoked, call, calls, settled } = world();
  await verified("d1");
  revoked.add("d1");
  lookup.forget();
  watch.onRevoked("key_1", call("one"));
  await settled();
  expect(calls).toEqual(["one"]);
});

test("a change that leaves the key alive, such as of its description, calls nobody", async () => {
  const { watch, verified, change, call, calls, settled } = world();
  await verified("d1");
  watch.onRevoked("key_1", call("one"));
  change("key", "d1");
  change("environment", "env_1");
  change("account", "acc_1");
  await settled();
  expect(calls).toEqual([]);
});

test.each(["environment", "account"] as const)(
  "when the %s is gone its keys call back, and keys of others do not",
  async (kind) => {
    const { watch, verified, change, revoked, call, calls, settled } = world();
    await Promise.all([verified("d1"), verified("d2"), verified("d9")]);
    for (const id of ["key_1", "key_2", "key_9"]) watch.onRevoked(id, call(id));
    await settled();
    for (const digest of kind === "account" ? ["d1", "d2", "d9"] : ["d1", "d2"])
      revoked.add(digest);
    change(kind, kind === "account" ? "acc_1" : "env_1");
    await settled();
    expect(calls.sort()).toEqual(
      kind === "account" ? ["key_1", "key_2", "key_9"] : ["key_1", "key_2"],
    );
  },
);

test("a callback that throws or rejects is a warning, and keeps nobody else's from being called", async () => {
  const { watch, verified, revoke, call, calls, settled } = world();
  await verified("d1");
  watch.onRevoked("key_1", () => {
    throw new Error("closed already");
  });
  watch.onRevoked("key_1", () => Promise.reject("no error at all"));
  watch.onRevoked("key_1", call("one"));
  revoke("d1");
  await settled();
  expect(calls).toEqual(["one"]);
  expect(warned.mock.calls.map(([message]) => message)).toEqual([
    "A callback given to a Latchkey verifier failed: Error: closed already",
    "A callback given to a Latchkey verifier failed: no error at all",
  ]);
});

test("a key that was never verified here, or was pushed out by others, cannot be watched", async () => {
  const { watch, verified, call } = world(4);
  expect(() => watch.onRevoked("key_1", call("one"))).toThrow(
    expect.objectContaining({ code: "resource_missing" }),
  );
  await verified("d0");
  for (let at = 1; at <= 5; at++) await verified(`d${at}`);
  expect(() => watch.onRevoked("key_0", call("none"))).toThrow(
    expect.objectContaining({ code: "resource_missing" }),
  );
  watch.onRevoked("key_5", call("held"));
});

test("ten thousand watched keys are looked up again 500 at a time, and a request finds room", async () => {
  const { watch, verified, lookup, queries, revoked, call, calls, settled } = world();
  for (let at = 0; at < 10_000; at++) {
    if (at % 500 === 0) await verified(`d${at}`);
    else void verified(`d${at}`);
    if (at % 500 === 499) {
      await settled();
      for (let of = at - 499; of <= at; of++) watch.onRevoked(`key_${of}`, call(`key_${of}`));
    }
  }
  await settled();
  revoked.add("d17");
  queries.length = 0;
  lookup.forget(); // a new session
  watch.checkAll();
  const request = await verified("fresh");
  expect(request?.key.id).toBe("fresh");
  await settled();
  expect(calls).toEqual(["key_17"]);
  expect(queries.flat()).toHaveLength(10_001);
  expect(queries.length).toBeLessThan(60);
});

test("what could not be looked up is tried again, on one timer, until it is closed", async () => {
  const { watch, verified, lookup, node, revoked, call, calls, settled, timers, runTimers } =
    world();
  await Promise.all([verified("d1"), verified("d2")]);
  watch.onRevoked("key_1", call("one"));
  watch.onRevoked("key_2", call("two"));
  await settled();
  node.answers = false;
  lookup.forget();
  watch.checkAll();
  await settled();
  expect(timers()).toBe(1);
  node.answers = true;
  revoked.add("d2");
  runTimers();
  await settled();
  expect(calls).toEqual(["two"]);
  node.answers = false;
  lookup.forget();
  watch.checkAll();
  await settled();
  watch.close();
  expect(timers()).toBe(0);
  expect(() => watch.onRevoked("key_1", call("late"))).toThrow();
});
