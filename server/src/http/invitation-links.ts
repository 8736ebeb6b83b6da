import { Failure } from "@latchkey/sdk/core";
import { Hono } from "hono";
import type { Logger } from "pino";
import { z } from "zod";
import {
  type AcceptDeps,
  acceptInvitation,
  type Newcomer,
  type OpenedInvitation,
  openInvitation,
} from "../domain/invitations.ts";
import { SETUP_FIELDS } from "../domain/setup.ts";
import { beginSession } from "./begin-session.ts";
import { unconfined } from "./callers.ts";
import type { HttpBindings } from "./front.ts";
import { linkDoor, linkSecret } from "./link-door.ts";
import type { OwnOrigin } from "./origin.ts";
import { invalidParams } from "./parse.ts";
import { originOf } from "./route.ts";
import { isoTime } from "./shapes.ts";
import type { SignIn } from "./sign-in.ts";

const BOUNDS = { tries: { max: 30, windowMs: 60_000 }, addressesMax: 10_000 } as const;

const OPEN_BODY = z.strictObject({ secret: linkSecret });

const { name, password } = SETUP_FIELDS.shape;
const ACCEPT_BODY = z.strictObject({
  secret: linkSecret,
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
  const bodyOf = linkDoor(deps, BOUNDS);
  const routes = new Hono<{ Bindings: HttpBindings }>();

  routes.post("/v1/invitations/open", async (c) => {
    const body = await bodyOf(c.req.raw, c.env, OPEN_BODY);
    c.header("Cache-Control", "no-store");
    return c.json(shapeOpened(await openInvitation(deps, body.secret)));
  });

  routes.post("/v1/invitations/accept", async (c) => {
    const body = await bodyOf(c.req.raw, c.env, ACCEPT_BODY);
    const signedIn = await signIn.session(c.req.raw.headers);
    const who = signedIn === null ? newcomer(body) : unconfined(signedIn);
    const accepted = await acceptInvitation(deps, body.secret, who, (actor) =>
      originOf(ambient, c.env, actor),
    );
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
