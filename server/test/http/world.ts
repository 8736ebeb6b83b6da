import { randomBytes } from "node:crypto";
import { digestToken, judge, parseToken, refuse, type Verify } from "@latchkey/sdk/core";
import { pino } from "pino";
import { V7Generator } from "uuidv7";
import type { Ambient } from "../../src/ambient.ts";
import { draftAccessToken } from "../../src/domain/access-tokens.ts";
import { draftAccount } from "../../src/domain/accounts.ts";
import { createBarrier } from "../../src/domain/revocation/barrier.ts";
import { createReaper } from "../../src/domain/revocation/reaper.ts";
import { tokenMaker } from "../../src/domain/tokens.ts";
import { type AppDeps, createApp } from "../../src/http/app.ts";
import type { SignedIn } from "../../src/http/signed-in.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import type { Origin, Role } from "../../src/store/store.ts";

/** When tests take place: times are a variable, and this is what it starts with. */
export const NOW_MS = Date.UTC(2026, 0, 31, 9, 30, 0, 123);

const OWN_ORIGIN = "http://127.0.0.1:4400";

/** An answer as a test looks at it; `body` is the parsed JSON, `text` what was sent. */
export interface Heard {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a server says is for the test to judge
  readonly body: any;
}

export interface Said {
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: BodyInit;
}

/** An account with everything that a test may call it with. */
export interface Populated {
  readonly id: string;
  readonly slug: string;
  readonly serviceToken: string;
  readonly secretKey: string;
  readonly publicKey: string;
  /** Cookies of one person for each role. */
  readonly people: Readonly<Record<Role, { readonly id: string; readonly cookie: string }>>;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** The whole HTTP interface over SQLite in memory, on a clock that the test holds. */
export async function openWorld(change: (deps: AppDeps) => Partial<AppDeps> = () => ({})) {
  const clock = { nowMs: NOW_MS };
  const sortable = new V7Generator({ nextUint32: () => randomBytes(4).readUInt32BE() });
  const newId = (prefix: string) =>
    `${prefix}_${sortable.generateOrResetWithTs(clock.nowMs).toHex()}`;
  const ambient: Ambient = {
    nowMs: () => clock.nowMs,
    monoMs: () => performance.now(),
    randomBytes,
    sortableId: newId,
    randomId: newId,
    soon: setImmediate,
    after(ms, task) {
      const timer = setTimeout(task, ms);
      return () => clearTimeout(timer);
    },
  };
  const { store, db } = await openSqlite(":memory:", { randomId: () => newId("chg") });
  const log: string[] = [];
  const logger = pino({ level: "debug" }, { write: (line: string) => void log.push(line) });
  const makeToken = tokenMaker(randomBytes, null);
  const { leases } = store;
  const node = {
    renew: async () => {},
    catchUp: async () => {},
    self: null,
    onAcknowledged() {},
    appliedSeq: 0,
  };
  const reaper = createReaper({ leases, node, ambient, logger });
  const barrier = createBarrier({ leases, node, reaper, ambient, logger });
  let lookUps = 0;

  const verify: Verify = async (credentials, ask, requestId = "") => {
    const token = credentials?.replace(/^Bearer +/, "") ?? "";
    if (token === "") return refuse("no_credentials", ask, null, requestId);
    const parts = parseToken(token);
    if (parts === null) return refuse("malformed", ask, null, requestId);
    if (!/^[sp]k$/.test(parts.prefix)) return refuse("wrong_kind", ask, null, requestId);
    lookUps += 1;
    const { keys } = await store.loadKeys([digestToken(token)]);
    const judged = judge(keys[0] ?? null, ask, clock.nowMs);
    return judged.ok ? judged : refuse(judged.reason, ask, judged.key, requestId);
  };

  const sessions = new Map<string, SignedIn>();
  const counted: AppDeps["store"] = {
    ...store,
    findToken: (digest) => {
      lookUps += 1;
      return store.findToken(digest);
    },
  };
  const resetTokens: { personId: string; token: string; expiresAtMs: number }[] = [];
  const usual: AppDeps = {
    store: counted,
    barrier,
    ambient,
    makeToken,
    verify,
    logger,
    session: async (headers) => sessions.get(headers.get("Cookie") ?? "") ?? null,
    ownOrigin: () => OWN_ORIGIN,
    mail: null,
    ready: () => true,
    signUpOpen: false,
    keepResetToken: async (personId, token, expiresAtMs) => {
      resetTokens.push({ personId, token, expiresAtMs });
    },
    version: "0.0.0",
  };
  const deps = { ...usual, ...change(usual) };
  const app = createApp(deps);
  let requests = 0;

  /** Sends one request. `to` is method and path, e.g. `GET /v1/me`. */
  async function call(to: string, { token, headers = {}, body, raw }: Said = {}): Promise<Heard> {
    const [method = "GET", path = "/"] = to.split(" ");
    const all = new Headers(headers);
    if (token !== undefined) all.set("Authorization", `Bearer ${token}`);
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    if (payload !== undefined && !all.has("Content-Type"))
      all.set("Content-Type", "application/json");
    if (all.get("Content-Type") === "none") all.delete("Content-Type");
    requests += 1;
    const request = new Request(`${OWN_ORIGIN}${path}`, {
      method,
      headers: all,
      ...(payload === undefined ? {} : { body: payload, duplex: "half" }),
    } as RequestInit);
    const from = { requestId: `req_${requests}`, address: "192.0.2.7", userAgent: "test" };
    const response = await app.fetch(request, from);
    const text = await response.text();
    const isJson = /^application\/json\b/.test(response.headers.get("Content-Type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== "" ? JSON.parse(text) : null,
    };
  }

  const systemOrigin = (): Origin => ({
    actor: { type: "system", id: "test", name: "test" },
    atMs: clock.nowMs,
    requestId: null,
    address: null,
    userAgent: null,
    eventId: newId("evt"),
  });

  /** An account as provisioning makes it, with one person for each role. */
  async function populate(slug: string): Promise<Populated> {
    const draft = draftAccount(deps, {
      name: slug.toUpperCase(),
      slug,
      externalId: null,
      owner: null,
    });
    const made = await store.createAccount(draft.record, systemOrigin(), null);
    if (made.outcome !== "created") throw new Error(made.outcome);
    const member = (role: Role) => join(made.account.id, `${role}@${slug}.example`, role);
    const development = draft.provisioned.environments[0];
    if (development === undefined) throw new Error("no environment");
    return {
      id: made.account.id,
      slug,
      serviceToken: draft.provisioned.serviceToken,
      secretKey: development.secretKey,
      publicKey: development.publicKey,
      people: {
        owner: await member("owner"),
        admin: await member("admin"),
        member: await member("member"),
        support: await member("support"),
      },
    };
  }

  /** A person with a session, as one who has accepted an invitation. */
  async function join(accountId: string, email: string, role: Role) {
    const id = newId("per");
    const at = new Date(clock.nowMs).toISOString();
    const person = { id, name: role, email, image: null, created_at: at, updated_at: at };
    await db
      .insertInto("person")
      .values({ ...person, email_verified: 1, two_factor_enabled: null })
      .execute();
    await db
      .insertInto("member")
      .values({ account_id: accountId, person_id: id, role, created_at: clock.nowMs })
      .execute();
    const cookie = `session=${id}`;
    const session = { sessionId: newId("ses"), twoFactor: false, confinedTo: null };
    sessions.set(cookie, { personId: id, name: role, email, ...session });
    return { id, cookie };
  }

  /** The operator with the two tokens that set-up makes: they belong to no account. */
  async function operate() {
    const verifier = draftAccessToken(deps, {
      kind: "verifier",
      accountId: null,
      name: "verifier",
    });
    const operator = draftAccessToken(deps, {
      kind: "operator",
      accountId: null,
      name: "operator",
    });
    const first = draftAccount(deps, {
      name: "First",
      slug: "first",
      externalId: null,
      owner: null,
    });
    const tokens = [...first.record.tokens, verifier.record, operator.record];
    const made = await store.createAccount({ ...first.record, tokens }, systemOrigin(), null);
    if (made.outcome !== "created") throw new Error(made.outcome);
    const person = await join(made.account.id, "operator@first.example", "owner");
    await db.updateTable("person").set({ operator: 1 }).where("id", "=", person.id).execute();
    return { person, tokens: { verifier: verifier.token, operator: operator.token } };
  }

  /** Headers of a browser whose page is ours. */
  function browser(cookie: string, account: string): Record<string, string> {
    return { Cookie: cookie, Origin: OWN_ORIGIN, "Latchkey-Account": account };
  }

  const { person: operator, tokens } = await operate();
  return {
    call,
    join,
    populate,
    browser,
    clock,
    log,
    deps,
    store,
    db,
    sessions,
    resetTokens,
    tokens,
    /** Owner of an account of their own, and the operator. */
    operator,
    acme: await populate("acme"),
    rival: await populate("rival"),
    lookUps: () => lookUps,
    close: () => store.close(),
  };
}
