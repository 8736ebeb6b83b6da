import { randomBytes } from "node:crypto";
import type { KeyRecord } from "../../src/judge.ts";
import { createLookup, type Loaded } from "../../src/lease/lookup.ts";
import { newRequestId } from "../../src/request-id.ts";
import { createTally } from "../../src/tally.ts";
import { BASE62, digestToken, type TokenPrefix, tokenChecksum } from "../../src/token.ts";
import { createVerifier } from "../../src/verifier.ts";

/** A token that was never issued, and whose shape and checksum are right. */
export function mintToken(prefix: TokenPrefix): string {
  const random = Array.from(randomBytes(30), (byte) => BASE62.charAt(byte % BASE62.length));
  const body = `${prefix}_${random.join("")}`;
  return body + tokenChecksum(body);
}

/** How the store behind the verifier answers: at once, when told to, or not at all. */
type Store = "answers" | "waits" | "fails";

/** The SDK's own verifier over keys in memory: nothing that decides is played by a mock. */
export function createWorld() {
  const keys = new Map<string, KeyRecord>();
  const waiting: (() => void)[] = [];
  const world = { loads: 0, store: "answers" as Store };
  const lookup = createLookup({
    clocks: { monoMs: () => performance.now(), wallMs: Date.now },
    async load(digests) {
      world.loads += 1;
      const answers = digests.map((digest): Loaded => {
        return { key: keys.get(digest) ?? null, cacheable: true };
      });
      if (world.store === "fails") throw new Error("the store is gone");
      if (world.store === "waits") await new Promise<void>((resolve) => waiting.push(resolve));
      return answers;
    },
    soon: (task) => void setImmediate(task),
    after: () => () => {}, // nobody here waits so long that a load is given up
    bounds: { batchMax: 1 }, // so that each load can be answered on its own
  });
  lookup.grant(lookup.clock.read(), 600_000);

  const tally = createTally();

  return Object.assign(world, {
    verifier: createVerifier({ lookup, tally, requestId: newRequestId }),
    /** What was counted since the last call: who sent accepted requests, and the refused ones. */
    told() {
      const { counts, refusals } = tally.drain();
      return { callers: [...counts].flatMap(({ callers }) => callers), refusals };
    },
    /** Loads that wait to be answered. */
    waiting,
    /** Issues a key. @returns Its token and its id. */
    issue(changes: Partial<KeyRecord> = {}): { token: string; id: string } {
      const id = changes.id ?? `key_${keys.size + 1}`;
      const token = mintToken(changes.type === "public" ? "pk" : "sk");
      keys.set(digestToken(token), { ...PRODUCTION_KEY, id, ...changes });
      return { token, id };
    },
    /** Revokes it as a node would tell a verifier: when this returns, it is refused. */
    revoke(token: string): void {
      const subject = digestToken(token);
      const key = keys.get(subject);
      if (key !== undefined) keys.set(subject, { ...key, revokedAtMs: Date.now() });
      lookup.apply({ kind: "key", subject });
    },
  });
}

export type World = ReturnType<typeof createWorld>;

const PRODUCTION_KEY: KeyRecord = {
  id: "key_0",
  type: "secret",
  metadata: {},
  account: { id: "acc_1", slug: "acme", externalId: null },
  environment: { id: "env_1", slug: "production" },
  revokedAtMs: null,
  expiresAtMs: null,
};
