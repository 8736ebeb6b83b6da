import { Failure } from "@latchkey/sdk/core";
import { Hono } from "hono";
import type { Logger } from "pino";
import { z } from "zod";
import { attemptCounter } from "../domain/attempts.ts";
import {
  type AcceptDeps,
  acceptInvitation,
  type Newcomer,
  type OpenedInvitation,
  openInvitation,
} from "../domain/invitations.ts";
import { SETUP_FIELDS } from "../domain/setup.ts";
import { networkOf } from "./address.ts";
import { beginSession } from "./begin-session.ts";
import { readJsonBody } from "./body.ts";
import { unconfined } from "./callers.ts";
import { nothing } from "./fields.ts";
import type { HttpBindings } from "./front.ts";
import { isOwnOrigin, type OwnOrigin } from "./origin.ts";
import { invalidParams, parseQuery, parseWith } from "./parse.ts";
import { isoTime } from "./shapes.ts";
import type { SignIn } from "./sign-in.ts";

/** Tries of one address: a secret has 192 bits, so this bounds work (a password is hashed), not guessing. */
const TRIES = { max: 30, windowMs: 60_000 } as const;
const ADDRESSES_MAX = 10_000;

const secret = z.string().min(1, "Must not be empty.").max(256, "At most 256 characters.");

const OPEN_BODY = z.strictObject({ secret });

const { name, password } = SETUP_FIELDS.shape;
const ACCEPT_BODY = z.strictObject({
  secret,
  name: name.optional(),
  password: password.optional(),
});

export interface InvitationLinkDeps extends AcceptDeps {
  readonly signIn: Pick<SignIn, "begin" | "session">;
  readonly ownOrigin: OwnOrigin;
  readonly logger: Logger;
}

/**
 * `POST /v1/invitations/open` and `/accept`: for whoever has the link, signed in or not.
 *
 * @returns Routes with whole paths, to be mounted at "/".
 */
export function invitationLinkRoutes(deps: InvitationLinkDeps): Hono<{ Bindings: HttpBindings }> {
  const { ambient, signIn } = deps;
  const tries = attemptCounter(ADDRESSES_MAX);
  const routes = new Hono<{ Bindings: HttpBindings }>();

  async function bodyOf<Schema extends z.ZodType>(
    request: Request,
    { address }: HttpBindings,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    refuseOtherOrigins(request.headers, deps.ownOrigin);
    const waitMs = tries.take(networkOf(address), TRIES, ambient.nowMs());
    if (waitMs > 0)
      throw new Failure("rate_limited", "Too many attempts. Wait, then try again.", {
        retryAfterSeconds: Math.ceil(waitMs / 1000),
      });
    parseQuery(nothing, new URL(request.url).search);
    return parseWith(schema, (await readJsonBody(request)).value);
  }

  routes.post("/v1/invitations/open", async (c) => {
    const body = await bodyOf(c.req.raw, c.env, OPEN_BODY);
    c.header("Cache-Control", "no-store");
    return c.json(shapeOpened(await openInvitation(deps, body.secret)));
  });

  routes.post("/v1/invitations/accept", async (c) => {
    const body = await bodyOf(c.req.raw, c.env, ACCEPT_BODY);
    const signedIn = await signIn.session(c.req.raw.headers);
    const who = signedIn === null ? newcomer(body) : unconfined(signedIn);
    const accepted = await acceptInvitation(deps, body.secret, who, (actor) => ({
      actor,
      atMs: ambient.nowMs(),
      eventId: ambient.sortableId("evt"),
      ...c.env,
    }));
    const begun =
      "password" in who
        ? await beginSession(deps, { ...who, email: accepted.email }, c.env)
        : undefined;
    for (const cookie of begun?.cookies ?? []) c.header("Set-Cookie", cookie, { append: true });
    c.header("Cache-Control", "no-store");
    const { slug, name } = accepted.account;
    return c.json({
      account: { slug, name },
      role: accepted.role,
      ...(begun?.confirmationMailed === true ? { confirmation_mailed: true } : {}),
    });
  });

  for (const path of ["/v1/invitations/open", "/v1/invitations/accept"])
    routes.all(path, (c) => {
      throw new Failure("method_not_allowed", `This path takes POST, not ${c.req.method}.`);
    });
  return routes;
}

/**
 * A program needs no Origin, for the secret is in the body; a page of another site has one that is not ours. With a
 * cookie it must be there: who accepts is then decided by what the browser adds by itself.
 */
function refuseOtherOrigins(headers: Headers, ownOrigin: OwnOrigin): void {
  if ((headers.has("Origin") || headers.has("Cookie")) && !isOwnOrigin(headers, ownOrigin))
    throw new Failure("access_denied", "The request does not come from the dashboard's origin.");
}

function newcomer({ name, password }: z.output<typeof ACCEPT_BODY>): Newcomer {
  const message = "Is needed of whoever is not signed in.";
  const errors = Object.entries({ name, password })
    .filter(([, value]) => value === undefined)
    .map(([field]) => ({ field, message }));
  if (name === undefined || password === undefined) throw invalidParams(errors);
  return { name, password };
}

/** The same whether or not anybody has the address. A program's name is its account's own affair. */
function shapeOpened({ account, invitation }: OpenedInvitation) {
  const { createdBy, email, role, expiresAtMs } = invitation;
  return {
    account: { name: account.name },
    email,
    role,
    invited_by: createdBy.type === "person" ? createdBy.name : account.name,
    expires_at: isoTime(expiresAtMs),
  };
}
