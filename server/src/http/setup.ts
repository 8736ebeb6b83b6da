import { Failure } from "@latchkey/sdk/core";
import { Hono } from "hono";
import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import { type FirstAccount, SETUP_FIELDS, type SetupRules } from "../domain/setup.ts";
import { shapeProvisioned } from "./accounts.ts";
import { beginSession } from "./begin-session.ts";
import { nothing } from "./fields.ts";
import type { HttpBindings } from "./front.ts";
import { linkDoor, linkSecret } from "./link-door.ts";
import type { OwnOrigin } from "./origin.ts";
import { parseQuery } from "./parse.ts";
import { originOf } from "./route.ts";
import type { SignIn } from "./sign-in.ts";

const BOUNDS = { tries: { max: 10, windowMs: 60_000 }, addressesMax: 1_000 } as const;

const SETUP_BODY = SETUP_FIELDS.extend({ setup_secret: linkSecret });

export interface SetupRouteDeps {
  readonly rules: Pick<SetupRules, "isDone" | "complete">;
  readonly signIn: Pick<SignIn, "begin">;
  readonly ownOrigin: OwnOrigin;
  readonly ambient: Ambient;
  readonly logger: Logger;
  /** What people who have no sign-in, or forgot its password, can do about it. */
  readonly settings: { readonly signUpOpen: boolean; readonly mail: object | null };
}

/**
 * `GET /v1/setup` → whether set-up is still to be done, and what a visitor can do here; `POST /v1/setup` with a link's
 * secret → the first account with every token this once, and a session for the browser.
 *
 * @returns Routes with whole paths, to be mounted at "/".
 */
export function setupRoutes(deps: SetupRouteDeps): Hono<{ Bindings: HttpBindings }> {
  const { rules, ambient } = deps;
  const bodyOf = linkDoor(deps, BOUNDS);
  const routes = new Hono<{ Bindings: HttpBindings }>();

  routes.get("/v1/setup", async (c) => {
    parseQuery(nothing, new URL(c.req.url).search);
    c.header("Cache-Control", "no-store");
    return c.json({
      state: (await rules.isDone()) ? "done" : "open",
      sign_up: deps.settings.signUpOpen ? "open" : "invite",
      mail: deps.settings.mail !== null,
    });
  });

  routes.post("/v1/setup", async (c) => {
    const body = await bodyOf(c.req.raw, c.env, SETUP_BODY);
    const { setup_secret: linkSecret, ...fields } = body;
    const first = await rules.complete(fields, linkSecret, (actor) =>
      originOf(ambient, c.env, actor),
    );
    // The tokens are in this one answer: that the session could not begin must not lose them.
    const { cookies } = await beginSession(deps, fields, c.env);
    for (const cookie of cookies) c.header("Set-Cookie", cookie, { append: true });
    c.header("Cache-Control", "no-store");
    return c.json(shapeFirstAccount(first), 201);
  });

  routes.all("/v1/setup", (c) => {
    throw new Failure("method_not_allowed", `This path takes GET and POST, not ${c.req.method}.`);
  });
  return routes;
}

/** What set-up answers, on the web and on the command line alike. */
export function shapeFirstAccount(first: FirstAccount) {
  return {
    ...shapeProvisioned(first),
    verifier_token: first.verifierToken,
    operator_token: first.operatorToken,
  };
}
