import { expect } from "vitest";
import { waitFor } from "../child.ts";
import { freePort } from "../real-server.ts";
import { startTestService } from "../service.ts";
import { HANDSHAKE, openVerifier, requestText } from "./raw.ts";

const LEASE_SECONDS = 1;

/** Long enough for what was granted to be waited out, on a busy machine. */
const GONE_WITHIN_MS = 8_000;

export type HostileStage = Awaited<ReturnType<typeof openHostileStage>>;

/** A service that tells how many verifiers are below it, and the credentials that it takes. */
export async function openHostileStage() {
  const port = await freePort();
  const metricsUrl = `http://127.0.0.1:${port}/metrics`;
  const service = await startTestService({
    LATCHKEY_LEASE_SECONDS: String(LEASE_SECONDS),
    LATCHKEY_METRICS_PORT: String(port),
  });
  const token = service.provisioned.verifier_token ?? "";
  const secretKey = service.provisioned.environments[0]?.secret_key ?? "";

  async function below(): Promise<number> {
    const text = await (await fetch(metricsUrl)).text();
    return Number(/^latchkey_verifiers_below (\d+)$/m.exec(text)?.[1]);
  }

  function nothingIsLeft(): Promise<true> {
    return waitFor("every session to be gone", async () => (await below()) === 0 || undefined, {
      withinMs: GONE_WITHIN_MS,
    });
  }

  /** Others are served: a key over HTTP, and a verifier of its own from welcome to grant and answer. */
  async function othersAreServed(): Promise<void> {
    const headers = { Authorization: `Bearer ${secretKey}` };
    const { status } = await fetch(`${service.url}/v1/authenticate`, { headers });
    expect(status).toBe(200);
    const honest = await openVerifier(service.url, token);
    honest.send({ type: "ask", ask: 1 });
    honest.send({ type: "look", look: 1, digests: ["A".repeat(43)] });
    await waitFor("an honest verifier to be served", () => {
      return (honest.of("grant").length > 0 && honest.of("found").length > 0) || undefined;
    });
    honest.send({ type: "release" });
    expect(await honest.closed).toBe(1005);
  }

  return {
    service,
    token,
    secretKey,
    below,
    nothingIsLeft,
    othersAreServed,
    async close() {
      await nothingIsLeft();
      await service.close();
    },
  };
}

/** The field that presents a token. */
export const bearer = (credentials: string) => ["Authorization", `Bearer ${credentials}`];

/** A handshake with these fields more, and without some that it should have. */
export const handshake = (
  headers: readonly (readonly string[])[],
  without: readonly string[] = [],
) =>
  requestText("GET /v1/verifier", [
    ...Object.entries(HANDSHAKE).filter(([name]) => !without.includes(name)),
    ...headers,
  ]);
