import { randomBytes } from "node:crypto";
import { Failure } from "@latchkey/sdk/core";
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { pino } from "pino";
import { type Ambient, ambientOf } from "../../src/ambient.ts";
import { setupRules } from "../../src/domain/setup.ts";
import { tokenMaker } from "../../src/domain/tokens.ts";
import { ownOriginRule } from "../../src/http/origin.ts";
import { passwordHashes } from "../../src/http/password-hashes.ts";
import { createSignIn } from "../../src/http/sign-in.ts";
import type { DoorDeps } from "../../src/http/sign-in-door.ts";
import { signInMails } from "../../src/http/sign-in-mails.ts";
import type { Mail, SendMail } from "../../src/mail.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { after } from "./visitor.ts";

export const ORIGIN = "http://127.0.0.1:4400";
export const EMAIL = "ada@example.com";
export const PASSWORD = "correct horse battery staple";

export interface Said {
  readonly body?: unknown;
  readonly cookie?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
}

/** An answer as a test looks at it: a refusal has the status 0 and its code. */
export interface Heard {
  readonly status: number;
  readonly code: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: what a server says is for the test to judge
  readonly body: any;
  readonly headers: Headers;
  readonly failure: Failure | null;
  /** What a browser with the cookies sent holds afterwards. */
  readonly cookie: string;
}

export type SignInStage = Awaited<ReturnType<typeof openSignInStage>>;

/**
 * Sign-in over SQLite in memory with one person, Ada, who is the first owner.
 *
 * @param options.mail Whether there is a mail server; what it gets is in `mails`.
 */
export async function openSignInStage(
  options: { mail?: boolean; signUpOpen?: boolean; change?: Partial<DoorDeps> } = {},
) {
  const clock = { nowMs: Date.now() };
  const ambient: Ambient = ambientOf({
    nowMs: () => clock.nowMs,
    monoMs: () => performance.now(),
    randomBytes: (count) => randomBytes(count),
  });
  const { store, db } = await openSqlite(":memory:", { randomId: () => ambient.randomId("row") });
  const log: string[] = [];
  const logger = pino({ level: "trace" }, { write: (line: string) => void log.push(line) });
  const mails: Mail[] = [];
  const send: SendMail = async (mail) => void mails.push(mail);
  const hashes = { count: 0 };
  const deps: DoorDeps = {
    store,
    db,
    ambient,
    logger,
    secret: "a secret of the tests, 32 characters or more",
    publicUrl: ORIGIN,
    ownOrigin: ownOriginRule(ORIGIN),
    signUpOpen: options.signUpOpen ?? false,
    mails: options.mail === true ? signInMails({ send, whenKept: store.whenKept, logger }) : null,
    passwords: passwordHashes({
      hash(password) {
        hashes.count += 1;
        return hashPassword(password);
      },
      verify(data) {
        hashes.count += 1;
        return verifyPassword(data);
      },
    }),
    ...options.change,
  };
  const origin = (actor: { type: "person" | "command_line"; id: string; name: string }) => ({
    actor,
    atMs: clock.nowMs,
    eventId: ambient.sortableId("evt"),
    requestId: null,
    address: null,
    userAgent: null,
  });
  const makeToken = tokenMaker(ambient.randomBytes, null);
  const rules = setupRules({ store, ambient, makeToken, hashPassword });
  const fields = { name: "Ada", email: EMAIL, password: PASSWORD, account: { name: "Acme" } };
  await rules.complete(fields, null, (actor) => origin({ ...actor, type: "command_line" }));
  const signIn = createSignIn(deps);
  const from = callers();

  async function ask(to: string, said: Said = {}): Promise<Heard> {
    const [method = "POST", path = ""] = to.includes(" ") ? to.split(" ") : ["POST", to];
    const { body = {}, cookie = "", headers = {}, address = from() } = said;
    const request = new Request(`${ORIGIN}/auth${path}`, {
      method,
      headers: {
        Host: "127.0.0.1:4400",
        Origin: ORIGIN,
        "Content-Type": "application/json",
        ...(cookie === "" ? {} : { Cookie: cookie }),
        ...headers,
      },
      ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
    });
    const caller = { requestId: "req_1", address, userAgent: "test" };
    try {
      const response = await signIn.handle(request, caller);
      return {
        status: response.status,
        code: null,
        body: await response.json(),
        headers: response.headers,
        failure: null,
        cookie: after(cookie, response),
      };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const nothing = { status: 0, body: null, headers: new Headers(), cookie };
      return { ...nothing, code: error.code, failure: error };
    }
  }

  return {
    ask,
    signIn,
    store,
    db,
    deps,
    clock,
    log,
    mails,
    hashes,
    origin,
    enter: (password = PASSWORD, email = EMAIL, said: Said = {}) =>
      ask("/sign-in/email", { body: { email, password }, ...said }),
    /** Who the cookies of a browser are. */
    who: (cookie: string) => signIn.session(new Headers({ Cookie: cookie })),
    /** Makes somebody with a proved address and no password. */
    async addPerson(person: { id: string; name: string; email: string }) {
      const at = new Date(clock.nowMs).toISOString();
      const rest = { email_verified: 1, image: null, two_factor_enabled: null };
      await db
        .insertInto("person")
        .values({ ...person, ...rest, created_at: at, updated_at: at })
        .execute();
    },
    person: (email = EMAIL) =>
      db.selectFrom("person").selectAll().where("email", "=", email).executeTakeFirstOrThrow(),
    /** The last mail's secret. */
    linkSecret: () => /#(\S+)/.exec(mails.at(-1)?.text ?? "")?.[1] ?? "",
    actions: async () =>
      (await db.selectFrom("audit_event").select("action").orderBy("id").execute())
        .map(({ action }) => action)
        .filter((action) => action.startsWith("person.")),
    close: () => store.close(),
  };
}

/** Makes one address after the other. */
function callers(): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `10.${count >> 16}.${(count >> 8) & 255}.${count & 255}`;
  };
}
