import { createClient } from "@latchkey/sdk/client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { bearer, type HostileStage, handshake, openHostileStage } from "./hostile-stage.ts";
import { maskedText, openRaw, openVerifier, parseAnswer } from "./raw.ts";
import { count, usage } from "./usage-frames.ts";

let stage: HostileStage;
let service: HostileStage["service"];
let token: string;
let below: HostileStage["below"];
let nothingIsLeft: HostileStage["nothingIsLeft"];
let othersAreServed: HostileStage["othersAreServed"];
beforeAll(async () => {
  stage = await openHostileStage();
  ({ service, token, below, nothingIsLeft, othersAreServed } = stage);
});
beforeEach(() => nothingIsLeft());
afterAll(() => stage?.close());

describe("a session", () => {
  test("that floods with looks is ended, and the next verifier is served", async () => {
    const bad = await openVerifier(service.url, token);
    for (let look = 1; look <= 2_000; look++)
      bad.send({ type: "look", look, digests: [String(look).padStart(43, "A")] });
    await bad.closed;
    await othersAreServed();
  });

  test("that floods with reports is ended", async () => {
    const bad = await openVerifier(service.url, token);
    for (let number = 1; number <= 2_000; number++)
      bad.send(usage({ number, counts: [count(`key_${number}`)] }));
    await bad.closed;
    await othersAreServed();
  });

  test("that floods with asks is answered each, while others are served", async () => {
    const bad = await openVerifier(service.url, token);
    for (let ask = 1; ask <= 20_000; ask++) bad.send({ type: "ask", ask });
    await othersAreServed();
    await waitFor("every answer", () => bad.of("grant").length === 20_000 || undefined);
    bad.socket.terminate();
  });

  test("that never reads is ended before it fills the memory", async () => {
    const raw = await openRaw(service.url);
    raw.send(handshake([bearer(token)]));
    await waitFor("the welcome", () => raw.text().includes("welcome") || undefined);
    raw.socket.pause();
    const before = heapAfterCollection();
    let ask = 0;
    const flood = (): void => {
      if (raw.socket.destroyed) return;
      let room = true;
      while (room && ask < 2_000_000) {
        ask += 1;
        room = raw.socket.write(maskedText(JSON.stringify({ n: ask, type: "ask", ask })));
      }
      if (!room) raw.socket.once("drain", flood);
    };
    flood();
    let most = 0;
    await waitFor(
      "the connection to be ended",
      async () => {
        most = Math.max(most, process.memoryUsage().external + process.memoryUsage().heapUsed);
        return raw.socket.destroyed || (await below()) === 0 || undefined;
      },
      { withinMs: 18_000 },
    );
    raw.socket.destroy();
    expect(most - before).toBeLessThan(200 * 1024 * 1024);
    await othersAreServed();
  });

  test("that never says a word holds up nothing, and is gone after a lease", async () => {
    const silent = await openVerifier(service.url, token);
    await silent.closed;
    await othersAreServed();
  });

  test("whose clock is in another age makes no key used in the future", async () => {
    const client = createClient({ url: service.url, token: service.provisioned.service_token });
    const key = await client.apiKeys.create("production", { type: "secret" });
    const ahead = await openVerifier(service.url, token);
    const inTheFuture = Math.floor(Number.MAX_SAFE_INTEGER / 60_000) * 60_000;
    const counted = { ...count(key.id), minuteMs: inTheFuture, lastAcceptedMs: inTheFuture };
    ahead.send({ ...usage({ counts: [counted] }), source: "src_ahead" }); // not that of the test above
    await waitFor("it to be stored", () => ahead.of("stored")[0]);
    const { last_used_at } = await client.apiKeys.get(key.id);
    expect(Date.parse(last_used_at ?? "")).toBeLessThanOrEqual(Date.now());
    expect(Date.parse(last_used_at ?? "")).toBeGreaterThan(Date.now() - 60_000);
    ahead.socket.terminate();
  });
});

test("half a handshake costs a connection for as long as headers may take, and nothing else", async () => {
  const raw = await openRaw(service.url);
  raw.send(handshake([bearer(token)]).slice(0, 100));
  await othersAreServed();
  await raw.ended;
  raw.socket.destroy();
  expect(parseAnswer(raw.text()).status).toBe(408);
}, 60_000);

test("a hundred sessions that break off in every way leave nothing behind", async () => {
  const before = heapAfterCollection();
  for (let round = 0; round < 20; round++) {
    const sessions = await Promise.all(
      Array.from({ length: 5 }, () => openVerifier(service.url, token)),
    );
    for (const session of sessions) session.send({ type: "ask", ask: 1 });
    const [a, b, c, d, e] = sessions;
    a?.socket.terminate();
    b?.socket.close();
    c?.socket.send("[");
    d?.send({ type: "release" });
    e?.send({ type: "look", look: 1, digests: ["A".repeat(43)] });
    e?.socket.terminate();
    await Promise.all(sessions.map(({ closed }) => closed));
  }
  await nothingIsLeft();
  expect(heapAfterCollection() - before).toBeLessThan(20 * 1024 * 1024);
});

function heapAfterCollection(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
