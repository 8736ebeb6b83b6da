import { type ConnectedVerifier, connectVerifier, type VerifierState } from "@latchkey/sdk";
import { tokenChecksum } from "@latchkey/sdk/core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { startChild, waitFor } from "../child.ts";
import { freePort } from "../real-server.ts";
import { openRecorder } from "./recorder.ts";
import { atOnce, outcomeOf, SECRET, startWorld, type World } from "./world.ts";

/** Shorter than anybody would choose, so that a server can be gone for three leases in seconds. */
const LEASE_SECONDS = 2;

/** For a machine that is busy with something else. */
const NOISE_MS = 2_000;

const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});

let world: World;
const open: ConnectedVerifier[] = [];
beforeAll(async () => {
  world = await startWorld(LEASE_SECONDS);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((verifier) => verifier.close()));
});
afterAll(() => world?.stop());

async function connect(url = world.url): Promise<ConnectedVerifier> {
  const verifier = await connectVerifier({ url, token: world.first.verifier_token });
  open.push(verifier);
  return verifier;
}

async function lastUsedMs(keyId: string): Promise<number> {
  return Date.parse((await world.client.apiKeys.get(keyId)).last_used_at ?? "");
}

test("a warm key is answered at once, with the key that was asked for, and nothing is sent", async () => {
  const recorder = await openRecorder(world.port);
  const verifier = await connect(`http://127.0.0.1:${recorder.port}`);
  const keys = [await world.issue(), await world.issue()] as const;
  for (const { token } of keys) expect((await verifier.verify(token, SECRET)).ok).toBe(true);
  const looks = () => recorder.texts().filter((text) => text.includes('"type":"look"')).length;
  const before = looks();
  for (let round = 0; round < 5_000; round++)
    for (const { id, token } of keys) {
      const verdict = atOnce(verifier.verify(round % 2 === 0 ? token : `Bearer ${token}`, SECRET));
      if (!verdict.ok || verdict.key.id !== id) throw new Error("the wrong key");
    }
  // Whatever the loop had sent comes before the frame of this look.
  expect(await outcomeOf(verifier, wellFormed("sk"))).toBe("refused");
  expect(looks()).toBe(before + 1);
  await recorder.close();
});

test("a wrong token is told at once, and connects no more", async () => {
  const recorder = await openRecorder(world.port);
  const url = `http://127.0.0.1:${recorder.port}`;
  const beganMs = performance.now();
  await expect(connectVerifier({ url, token: wellFormed("vt") })).rejects.toMatchObject({
    code: "invalid_token",
  });
  expect(performance.now() - beganMs).toBeLessThan(NOISE_MS);
  const { length } = recorder.connections;
  await outlast(1_500); // longer than any pause between two attempts
  expect(recorder.connections).toHaveLength(length);
  await recorder.close();
});

test("no server at the start is an outage, after as long as was asked for", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const beganMs = performance.now();
  const connecting = connectVerifier({
    url,
    token: world.first.verifier_token,
    connectTimeoutMs: 500,
  });
  await expect(connecting).rejects.toMatchObject({ code: "verification_unavailable" });
  expect(performance.now() - beganMs).toBeGreaterThanOrEqual(499);
  expect(performance.now() - beganMs).toBeLessThan(500 + NOISE_MS);
});

test("closing releases at once: the next revocation waits for nobody", async () => {
  const [kept, key] = [await world.issue(), await world.issue()];
  const verifier = await connect();
  expect(await outcomeOf(verifier, key.token)).toBe("accepted");
  await verifier.close();
  await verifier.close();
  expect(verifier.state).toBe("closed");
  const { revocation } = await world.client.apiKeys.revoke(key.id);
  expect(revocation).toMatchObject({ state: "effective", lapsed: 0 });
  expect(revocation?.took_ms).toBeLessThan(world.leaseMs / 2);
  expect(await outcomeOf(verifier, kept.token)).toBe("unavailable");
});

test("a key verified only in the SDK was last used when it was, within two seconds and exactly at the close", async () => {
  const [early, late] = [await world.issue(), await world.issue()];
  const verifier = await connect();
  await verifier.verify(early.token, SECRET);
  const fromMs = Date.now();
  atOnce(verifier.verify(early.token, SECRET));
  const toMs = Date.now();
  const seen = await waitFor("the use to be told", async () => {
    const atMs = await lastUsedMs(early.id);
    return atMs >= fromMs ? atMs : undefined;
  });
  expect(Date.now() - toMs).toBeLessThan(2_000 + NOISE_MS / 4);
  expect(seen).toBeLessThanOrEqual(toMs);

  await verifier.verify(late.token, SECRET);
  const lateFromMs = Date.now();
  atOnce(verifier.verify(late.token, SECRET));
  const lateToMs = Date.now();
  await verifier.close();
  expect(await lastUsedMs(late.id)).toBeGreaterThanOrEqual(lateFromMs);
  expect(await lastUsedMs(late.id)).toBeLessThanOrEqual(lateToMs);
});

test("a server that is gone for three leases: it goes on, then cannot tell, never refuses, and is back by itself", async () => {
  const verifier = await connect();
  const [key, fresh] = [await world.issue(), await world.issue()];
  expect(await outcomeOf(verifier, key.token)).toBe("accepted");
  const states: VerifierState[] = [];
  verifier.onState(() => {
    throw new Error("a listener that fails"); // a warning, and nobody's business
  });
  const end = verifier.onState((state) => states.push(state));

  await world.kill();
  const killedMs = performance.now();
  const seen: string[] = [];
  let lastAcceptedMs = 0;
  await waitFor(
    "three leases to pass",
    async () => {
      const outcome = await outcomeOf(verifier, key.token);
      if (outcome !== seen.at(-1)) seen.push(outcome);
      if (outcome === "accepted") lastAcceptedMs = performance.now() - killedMs;
      return performance.now() - killedMs > 3 * world.leaseMs || undefined;
    },
    { withinMs: 20_000 },
  );
  expect(seen).toEqual(["accepted", "unavailable"]);
  expect(lastAcceptedMs).toBeLessThan(world.leaseMs);
  expect(lastAcceptedMs).toBeGreaterThan(world.leaseMs / 4);
  const askedMs = performance.now();
  expect(await outcomeOf(verifier, fresh.token)).toBe("unavailable");
  expect(performance.now() - askedMs).toBeLessThan(500); // at once, not after a wait for each
  expect(verifier.state).toBe("lapsed");

  await world.start();
  const backMs = performance.now();
  await waitFor("a verdict", async () => {
    const outcome = await outcomeOf(verifier, key.token);
    expect(outcome).not.toBe("refused");
    return outcome === "accepted" || undefined;
  });
  expect(performance.now() - backMs).toBeLessThan(2_000);
  await waitFor("a lease", () => verifier.state === "connected" || undefined);
  await verifier.close();
  await waitFor("the last to be told", () => states.includes("closed") || undefined);
  expect(states).toEqual(["disconnected", "lapsed", "connected", "closed"]);
  expect(warned.mock.calls.length).toBe(states.length);
  end();
}, 40_000);

test("a restart within the lease is no lapse", async () => {
  const recorder = await openRecorder(world.port);
  const verifier = await connect(`http://127.0.0.1:${recorder.port}`);
  const states: VerifierState[] = [];
  verifier.onState((state) => states.push(state));
  recorder.reset();
  await waitFor("the way back", () => states.includes("connected") || undefined);
  expect(states).toEqual(["disconnected", "connected"]);
  await recorder.close();
});

test("a watched key's connections are told of its end, at once and after a time without the server", async () => {
  const recorder = await openRecorder(world.port);
  const verifier = await connect(`http://127.0.0.1:${recorder.port}`);
  const keys = [await world.issue(), await world.issue(), await world.issue()] as const;
  const told: string[] = [];
  for (const { id, token } of keys) {
    await verifier.verify(token, SECRET);
    verifier.onRevoked(id, () => told.push(id));
  }
  expect(() => verifier.onRevoked("key_of_nobody", () => {})).toThrow(
    expect.objectContaining({ code: "resource_missing" }),
  );
  await world.client.apiKeys.revoke(keys[0].id);
  await waitFor("the first to be told", () => told[0]);
  await world.kill();
  await waitFor("it to be noticed", () => verifier.state !== "connected" || undefined);
  await world.start();
  await world.client.apiKeys.revoke(keys[1].id);
  await waitFor("the second to be told", () => told[1]);
  expect(told).toEqual([keys[0].id, keys[1].id]);

  const environment = await world.client.environments.create({ name: "Doomed", slug: "doomed" });
  const doomed = atOnceOrLater(await verifier.verify(environment.secret_key ?? "", SECRET));
  verifier.onRevoked(doomed, () => told.push("environment"));
  await world.client.environments.delete("doomed");
  await waitFor("the environment's end to be told", () => told[2]);
  expect(told).toHaveLength(3);
  await recorder.close();
}, 40_000);

test("no API key crosses the wire in a whole life, and the verifier token does in handshakes alone", async () => {
  const recorder = await openRecorder(world.port);
  const verifier = await connect(`http://127.0.0.1:${recorder.port}`);
  const key = await world.issue();
  const expired = (
    await world.client.apiKeys.create("production", {
      type: "secret",
      expires_at: new Date(Date.now() + 200).toISOString(),
    })
  ).api_key as string;
  const tokens = [key.token, expired, wellFormed("sk"), wellFormed("pk"), "sk_malformed_of_some"];
  const life = async () => {
    for (const token of tokens)
      for (const credentials of [token, `Bearer ${token}`, `bearer  ${token} `, `Basic ${token}`])
        await outcomeOf(verifier, credentials);
  };
  await life();
  recorder.reset();
  await waitFor("it to be noticed", () => verifier.state !== "connected" || undefined, {
    everyMs: 1,
  });
  await life(); // while it is cut off
  await waitFor("the way back", () => verifier.state === "connected" || undefined);
  await life();
  await world.client.apiKeys.revoke(key.id);
  await life();
  await verifier.close();

  await waitFor("the last frame", () => recorder.texts().at(-1)?.includes("release") || undefined);
  const heads = recorder.connections.map((each) => each.head());
  const texts = recorder.texts();
  expect(recorder.connections.length).toBeGreaterThanOrEqual(2);
  for (const type of ["ask", "ack", "look", "usage", "release"])
    expect(texts.join("\n"), type).toContain(`"type":"${type}"`);
  const everything = [...heads, ...texts].join("\n");
  for (const token of tokens) {
    const random = token.slice(token.lastIndexOf("_") + 1);
    for (let at = 0; at + 8 <= random.length; at++)
      expect(everything).not.toContain(random.slice(at, at + 8));
  }
  const verifierToken = world.first.verifier_token;
  expect(texts.join("\n")).not.toContain(verifierToken.slice(3, 11));
  for (const head of heads)
    expect(head.replaceAll(`Authorization: Bearer ${verifierToken}`, "")).not.toContain(
      verifierToken.slice(3, 11),
    );
  await recorder.close();
});

test("a process ends by itself once its verifier is closed, and not before", async () => {
  const script = (rest: string): string[] => [
    "--input-type=module",
    "-e",
    `import { connectVerifier } from "@latchkey/sdk";
     const verifier = await connectVerifier({ url: "${world.url}", token: process.env.TOKEN });
     await verifier.verify("${wellFormed("sk")}", { types: ["secret"] });
     console.log("connected");
     ${rest}`,
  ];
  const env = { PATH: process.env.PATH, TOKEN: world.first.verifier_token };
  const closed = startChild(
    process.execPath,
    script('await verifier.close(); console.log("closed");'),
    { env },
  );
  const unclosed = startChild(process.execPath, script(""), { env });
  await waitFor("the close", () => closed.stdout().includes("closed") || undefined);
  const closedMs = performance.now();
  expect(await closed.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - closedMs).toBeLessThan(NOISE_MS);
  expect(closed.stderr()).toBe("");
  await waitFor("it to be connected", () => unclosed.stdout().includes("connected") || undefined);
  await outlast(1_500);
  expect(unclosed.hasEnded()).toBe(false);
  await unclosed.end();
});

test("a process ends by itself though the server hangs", async () => {
  const script = `import { connectVerifier } from "@latchkey/sdk";
    const verifier = await connectVerifier({ url: "${world.url}", token: process.env.TOKEN });
    process.once("SIGTERM", () => verifier.close());
    console.log("connected");`;
  const child = startChild(process.execPath, ["--input-type=module", "-e", script], {
    env: { PATH: process.env.PATH, TOKEN: world.first.verifier_token },
  });
  await waitFor("it to be connected", () => child.stdout().includes("connected") || undefined);
  world.server().signal("SIGSTOP");
  try {
    const askedMs = performance.now();
    expect(await child.end("SIGTERM")).toEqual({ code: 0, signal: null });
    expect(performance.now() - askedMs).toBeLessThan(3_000 + NOISE_MS);
  } finally {
    world.server().signal("SIGCONT");
  }
});

function wellFormed(prefix: string): string {
  const body = `${prefix}_0Nobody0Has0This0Token0At0All0`;
  return body + tokenChecksum(body);
}

function atOnceOrLater(verdict: Awaited<ReturnType<ConnectedVerifier["verify"]>>): string {
  if (!verdict.ok) throw new Error("a fresh key is refused");
  return verdict.key.id;
}

/** Resolves when so much time has passed: for what must not happen meanwhile. */
function outlast(ms: number): Promise<true> {
  const fromMs = performance.now();
  return waitFor("time to pass", () => performance.now() - fromMs > ms || undefined);
}
