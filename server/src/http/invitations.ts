import { z } from "@hono/zod-openapi";
import type { InvitationJson } from "@latchkey/sdk/client";
import { type InvitationDeps, invitationRules, type Sent } from "../domain/invitations.ts";
import type { Invitation } from "../store/store.ts";
import type { AccountCaller } from "./callers.ts";
import { email, invitationIdInPath, nothing, pageAsk, pageQuery, role } from "./fields.ts";
import { type OwnOrigin, siteOrigin } from "./origin.ts";
import { inAccount } from "./permit.ts";
import { type Route, route } from "./route.ts";
import { actorJson, isoTime, pageJson, shapeActor, shapePage, timeJson } from "./shapes.ts";

export interface InvitationRouteDeps extends InvitationDeps {
  readonly ownOrigin: OwnOrigin;
}

const invitationJson = z
  .object({
    id: z.string(),
    email: z.string(),
    role,
    created_at: timeJson,
    created_by: actorJson,
    expires_at: timeJson,
    mailed: z.boolean().openapi({ description: "Whether its link went by mail, and so alone." }),
    link: z.string().optional().openapi({
      description: "Where no mail is sent: in the answer that made it, this once.",
    }),
    mail_error: z.string().optional().openapi({
      description: "Why the mail server did not take it. Send it again.",
    }),
  })
  .openapi("Invitation");

function shapeInvitation(invitation: Invitation): InvitationJson {
  return {
    id: invitation.id,
    email: invitation.email,
    role: invitation.role,
    created_at: isoTime(invitation.createdAtMs),
    created_by: shapeActor(invitation.createdBy),
    expires_at: isoTime(invitation.expiresAtMs),
    mailed: invitation.mailed,
  };
}

function shapeSent({ invitation, link, mailError }: Sent): InvitationJson {
  return {
    ...shapeInvitation(invitation),
    ...(link === null ? {} : { link }),
    ...(mailError === null ? {} : { mail_error: mailError }),
  };
}

/** `/v1/invitations`: to the caller's account. What whoever has a link does with it is in invitation-links.ts. */
export function invitationRoutes(deps: InvitationRouteDeps): readonly Route[] {
  const rules = invitationRules(deps);
  const senderOf = (
    { account, actor }: AccountCaller,
    { headers }: Request,
    origin: Parameters<Parameters<typeof route>[0]["handle"]>[0]["origin"],
  ) => ({ account, siteOrigin: siteOrigin(headers, deps.ownOrigin), origin: origin(actor) });

  const list = route({
    method: "get",
    path: "/v1/invitations",
    summary: "List invitations that are neither accepted nor cancelled",
    permission: inAccount("members:read"),
    params: nothing,
    query: z.strictObject(pageQuery),
    body: nothing,
    response: pageJson(invitationJson),
    statuses: [200],
    async handle({ caller, query }) {
      const page = await rules.list(caller.account, pageAsk(query));
      return { status: 200, body: shapePage(page, query.page_size, shapeInvitation) };
    },
  });

  const create = route({
    method: "post",
    path: "/v1/invitations",
    summary: "Invite an address, by mail or by the link in this answer; the open one is replaced",
    permission: inAccount("members:write"),
    params: nothing,
    query: nothing,
    body: z.strictObject({ email, role }),
    response: invitationJson,
    statuses: [201],
    async handle({ caller, body, request, origin }) {
      const sent = await rules.invite(senderOf(caller, request, origin), body);
      return { status: 201, body: shapeSent(sent) };
    },
  });

  const send = route({
    method: "post",
    path: "/v1/invitations/:id/send",
    summary: "Send an invitation again, with a new link; the one before is dead",
    permission: inAccount("members:write"),
    params: invitationIdInPath,
    query: nothing,
    body: nothing,
    response: invitationJson,
    statuses: [200],
    async handle({ caller, params, request, origin }) {
      const sent = await rules.sendAgain(senderOf(caller, request, origin), params.id);
      return { status: 200, body: shapeSent(sent) };
    },
  });

  const cancel = route({
    method: "delete",
    path: "/v1/invitations/:id",
    summary: "Cancel an invitation; its link is dead when this answers",
    permission: inAccount("members:write"),
    params: invitationIdInPath,
    query: nothing,
    body: nothing,
    response: invitationJson,
    statuses: [200],
    async handle({ caller: { account, actor }, params, origin }) {
      const cancelled = await rules.cancel(account, params.id, origin(actor));
      return { status: 200, body: shapeInvitation(cancelled) };
    },
  });

  return [list, create, send, cancel];
}
