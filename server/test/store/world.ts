import { digestToken, tokenHint } from "@latchkey/sdk/core";
import type { Database } from "../../src/store/engine.ts";
import type {
  AccountStore,
  AuditFilter,
  Change,
  NewAccessToken,
  NewAccount,
  NewEnvironment,
  NewKey,
  Once,
  Origin,
  Rotation,
  Store,
  UsageKept,
} from "../../src/store/store.ts";

/** A moment whose milliseconds matter. */
export const START_MS = 1_767_225_600_123;

const HOUR_MS = 60 * 60_000;

/** How long usage is kept, as by default. */
export const KEPT: UsageKept = {
  minutesMs: 24 * HOUR_MS,
  hoursMs: 90 * 24 * HOUR_MS,
  daysMs: 800 * 24 * HOUR_MS,
  refusalsMs: 30 * 24 * HOUR_MS,
};

/** Every entry of an account's audit log. */
export const ANY_EVENT: AuditFilter = {
  actorId: null,
  actions: null,
  subjectId: null,
  keyId: null,
  fromMs: null,
  toMs: null,
};

/** One check of the suite, on a store of its own. */
export type Check = (world: World) => Promise<void>;

/** A fresh store with two accounts, and makers of everything that a deed takes. */
export interface World {
  readonly store: Store;
  readonly db: Database;
  /** Account `acme`, with the environments `development` and `production`, empty. */
  readonly acme: AccountStore;
  /** Another account, with environments of the same slugs. */
  readonly other: AccountStore;
  /** A time-sortable id, never given twice. */
  id(prefix: string): string;
  /** For the events that a deed writes beside its own. */
  nextEventId(): string;
  origin(atMs?: number): Origin;
  once(scope: string, bodyDigest?: string): Once;
  newKey(given?: Partial<NewKey>): NewKey;
  /** What a rotation makes, an hour's overlap from now unless something else is given. */
  rotation(given?: Partial<Rotation>): Rotation;
  newEnvironment(slug: string, keys?: readonly NewKey[]): NewEnvironment;
  newAccount(slug: string, given?: Partial<NewAccount>): NewAccount;
  newToken(kind: NewAccessToken["kind"], accountId: string | null): NewAccessToken;
  /** Stores a key in acme's environment and returns it with its digest. */
  stored(environment: string, given?: Partial<NewKey>, atMs?: number): Promise<NewKey>;
  /** When verifiers must take the key of this digest for revoked, or `null`. */
  revokedAtMs(digest: string): Promise<number | null>;
  changes(): Promise<readonly Change[]>;
}

/** Builds the world on a store that was just opened. */
export async function makeWorld(store: Store, db: Database): Promise<World> {
  let made = 0;
  const next = () => `${++made}`.padStart(8, "0");
  const id = (prefix: string) => `${prefix}_${next()}`;

  const newKey: World["newKey"] = (given = {}) => {
    const type = given.type ?? "secret";
    const token = `${type === "secret" ? "sk" : "pk"}_${next().padStart(36, "x")}`;
    return {
      id: id("key"),
      type,
      digest: digestToken(token),
      hint: tokenHint(token),
      token: type === "public" ? token : null,
      description: "",
      metadata: {},
      expiresAtMs: null,
      ...given,
    };
  };
  const newEnvironment: World["newEnvironment"] = (slug, keys = []) => ({
    id: id("env"),
    slug,
    name: `The ${slug} environment`,
    keys,
  });
  const world: Omit<World, "acme" | "other"> = {
    store,
    db,
    id,
    nextEventId: () => id("evt"),
    newKey,
    rotation(given = {}) {
      const { id, digest, hint, token } = newKey();
      const successor = { id, digest, hint, token };
      return { successor, overlapMs: HOUR_MS, starts: "now", ...given };
    },
    newEnvironment,
    once: (scope, bodyDigest = "body") => ({ scope, bodyDigest }),
    origin: (atMs = START_MS) => ({
      actor: { type: "person", id: "per_ada", name: "Ada Lovelace" },
      atMs,
      requestId: id("req"),
      address: "192.0.2.7",
      userAgent: "suite",
      eventId: id("evt"),
    }),
    newAccount: (slug, given = {}) => ({
      id: id("acc"),
      slug,
      name: `${slug}, Inc.`,
      externalId: null,
      environments: [newEnvironment("development"), newEnvironment("production")],
      tokens: [],
      owner: null,
      ...given,
    }),
    newToken(kind, accountId) {
      const token = `${{ service: "st", verifier: "vt", operator: "ot" }[kind]}_${next().padStart(36, "x")}`;
      return {
        id: id("tok"),
        kind,
        accountId,
        name: `A ${kind} token`,
        expiresAtMs: null,
        digest: digestToken(token),
        hint: tokenHint(token),
      };
    },
    async stored(environment, given, atMs) {
      const key = newKey(given);
      const created = await acme.createKey(environment, key, world.origin(atMs), null);
      if (created.outcome !== "created") throw new Error(`not created: ${created.outcome}`);
      return key;
    },
    async revokedAtMs(digest) {
      const [key] = (await store.loadKeys([digest])).keys;
      if (key === undefined || key === null) throw new Error("the key is not there");
      return key.revokedAtMs;
    },
    async changes() {
      const read = await store.leases.readChanges(0, null);
      if (read.outcome === "gap") throw new Error("the change log has a gap");
      return read.changes;
    },
  };
  const acme = await openAccount(world, "acme");
  return { ...world, acme, other: await openAccount(world, "other") };
}

async function openAccount(
  world: Pick<World, "store" | "newAccount" | "origin">,
  slug: string,
): Promise<AccountStore> {
  const account = world.newAccount(slug);
  await world.store.createAccount(account, world.origin(), null);
  return world.store.account(account.id);
}
