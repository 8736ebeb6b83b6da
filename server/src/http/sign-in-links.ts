import { z } from "@hono/zod-openapi";
import type { ResetLinkJson, SignInLinkJson } from "@latchkey/sdk/client";
import { Failure } from "@latchkey/sdk/core";
import { Hono } from "hono";
import type { Ambient } from "../ambient.ts";
import { createResetLink, createSignInLink, openSignInLink } from "../domain/sign-in-links.ts";
import type { Store } from "../store/store.ts";
import { email, name, nothing, role, slugInPath } from "./fields.ts";
import type { HttpBindings } from "./front.ts";
import { linkDoor, linkSecret } from "./link-door.ts";
import { type OwnOrigin, siteOrigin } from "./origin.ts";
import { asOperator } from "./permit.ts";
import { originOf, type Route, route } from "./route.ts";
import { isoTime, timeJson } from "./shapes.ts";
import type { SignIn } from "./sign-in.ts";

/** Many customers of the operator share a network. */
const BOUNDS = { tries: { max: 60, windowMs: 60_000 }, addressesMax: 1_000 } as const;

const signInLinkJson = z
  .object({ id: z.string(), url: z.string(), expires_at: timeJson })
  .openapi("SignInLink");

const resetLinkJson = z
  .object({ url: z.string(), expires_at: timeJson })
  .openapi("PasswordResetLink");

export interface LinkRouteDeps {
  readonly store: Store;
  readonly ambient: Ambient;
  readonly ownOrigin: OwnOrigin;
  readonly keepResetToken: SignIn["keepResetToken"];
}

/** Links that the operator hands to people. */
export function linkRoutes(deps: LinkRouteDeps): readonly Route[] {
  return [signInLink(deps), resetLink(deps)];
}

const signInLink = (deps: LinkRouteDeps): Route =>
  route({
    method: "post",
    path: "/v1/accounts/:slug/sign_in_links",
    summary: "Make a link that signs somebody in to one account, once, within 60 s",
    permission: asOperator,
    params: slugInPath,
    query: nothing,
    body: z.strictObject({ email, role, name: name.optional() }),
    response: signInLinkJson,
    statuses: [201],
    async handle({ caller, params, body, request, origin }) {
      const at = siteOrigin(request.headers, deps.ownOrigin);
      const draft = { email: body.email, role: body.role, name: body.name ?? null };
      const made = await createSignInLink(deps, params.slug, draft, origin(caller.actor));
      const shaped: SignInLinkJson = {
        id: made.id,
        url: `${at}/sign-in-link#${made.secret}`,
        expires_at: isoTime(made.expiresAtMs),
      };
      return { status: 201, body: shaped };
    },
  });

const resetLink = (deps: LinkRouteDeps): Route =>
  route({
    method: "post",
    path: "/v1/password_reset_links",
    summary: "Make a link with which somebody chooses a new password, once, within 30 minutes",
    permission: asOperator,
    params: nothing,
    query: nothing,
    body: z.strictObject({ email, remove_two_factor: z.boolean().optional() }),
    response: resetLinkJson,
    statuses: [201],
    async handle({ caller, body, request, origin }) {
      const at = siteOrigin(request.headers, deps.ownOrigin);
      const ask = { email: body.email, removesTwoFactor: body.remove_two_factor ?? false };
      const made = await createResetLink(deps, ask, () => origin(caller.actor));
      const shaped: ResetLinkJson = {
        url: `${at}/reset-password#${made.secret}`,
        expires_at: isoTime(made.expiresAtMs),
      };
      return { status: 201, body: shaped };
    },
  });

const OPEN = z.strictObject({ secret: linkSecret });

/**
 * `POST /v1/sign_in_links/open` with a link's secret → a session for the browser, of one account alone.
 *
 * @returns Routes with whole paths, to be mounted at "/".
 */
export function signInLinkOpening(
  deps: Omit<LinkRouteDeps, "keepResetToken"> & { readonly signIn: Pick<SignIn, "beginConfined"> },
): Hono<{ Bindings: HttpBindings }> {
  const { ambient, signIn } = deps;
  const bodyOf = linkDoor(deps, BOUNDS);
  const routes = new Hono<{ Bindings: HttpBindings }>();

  routes.post("/v1/sign_in_links/open", async (c) => {
    const { secret } = await bodyOf(c.req.raw, c.env, OPEN);
    const { personId, account } = await openSignInLink(deps, secret, (person) =>
      originOf(ambient, c.env, { type: "person", ...person }),
    );
    for (const cookie of await signIn.beginConfined(personId, account.id, c.env))
      c.header("Set-Cookie", cookie, { append: true });
    c.header("Cache-Control", "no-store");
    return c.json({ account: { slug: account.slug } });
  });

  routes.all("/v1/sign_in_links/open", (c) => {
    throw new Failure("method_not_allowed", `This path takes POST, not ${c.req.method}.`);
  });
  return routes;
}
