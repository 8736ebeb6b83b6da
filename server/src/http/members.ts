import { z } from "@hono/zod-openapi";
import type { MemberJson } from "@latchkey/sdk/client";
import {
  changeRole,
  getMember,
  listMembers,
  type MemberDeps,
  removeMember,
} from "../domain/members.ts";
import type { Member } from "../store/store.ts";
import { memberIdInPath, nothing, pageAsk, pageQuery, role } from "./fields.ts";
import { inAccount } from "./permit.ts";
import { type Route, route } from "./route.ts";
import { isoTime, pageJson, shapePage, timeJson } from "./shapes.ts";

const memberJson = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    role,
    two_factor: z.boolean(),
    joined_at: timeJson,
    active_api_keys: z.number().int(),
    active_service_tokens: z.number().int(),
  })
  .openapi("Member");

function shapeMember(member: Member): MemberJson {
  return {
    id: member.id,
    name: member.name,
    email: member.email,
    role: member.role,
    two_factor: member.twoFactor,
    joined_at: isoTime(member.joinedAtMs),
    active_api_keys: member.activeKeys,
    active_service_tokens: member.activeServiceTokens,
  };
}

/** `/v1/members`: the people of the caller's account. */
export function memberRoutes(deps: MemberDeps): readonly Route[] {
  return [list(deps), get(deps), update(deps), remove(deps)];
}

const list = (deps: MemberDeps): Route =>
  route({
    method: "get",
    path: "/v1/members",
    summary: "List the people of the account",
    permission: inAccount("members:read"),
    params: nothing,
    query: z.strictObject(pageQuery),
    body: nothing,
    response: pageJson(memberJson),
    statuses: [200],
    async handle({ caller, query }) {
      const page = await listMembers(deps, caller.account, pageAsk(query));
      return { status: 200, body: shapePage(page, query.page_size, shapeMember) };
    },
  });

const get = (deps: MemberDeps): Route =>
  route({
    method: "get",
    path: "/v1/members/:id",
    summary: "Read a member",
    permission: inAccount("members:read"),
    params: memberIdInPath,
    query: nothing,
    body: nothing,
    response: memberJson,
    statuses: [200],
    async handle({ caller, params }) {
      return { status: 200, body: shapeMember(await getMember(deps, caller.account, params.id)) };
    },
  });

const update = (deps: MemberDeps): Route =>
  route({
    method: "patch",
    path: "/v1/members/:id",
    summary: "Give a member another role; answers when every request of theirs is judged by it",
    permission: inAccount("members:write"),
    params: memberIdInPath,
    query: nothing,
    body: z.strictObject({ role }),
    response: memberJson,
    statuses: [200],
    async handle({ caller, params, body, origin }) {
      const change = { id: params.id, role: body.role };
      const member = await changeRole(deps, caller.account, change, origin(caller.actor));
      return { status: 200, body: shapeMember(member) };
    },
  });

/** Everybody may leave; whether they may remove somebody else is for the domain to say. */
const remove = (deps: MemberDeps): Route =>
  route({
    method: "delete",
    path: "/v1/members/:id",
    summary: "Remove a member, or leave; answers when every request of theirs is refused",
    permission: inAccount("members:read"),
    params: memberIdInPath,
    query: nothing,
    body: nothing,
    response: memberJson,
    statuses: [200],
    async handle({ caller, params, origin }) {
      const { account, actor } = caller;
      const member = await removeMember(deps, account, params.id, origin(actor));
      return { status: 200, body: shapeMember(member) };
    },
  });
