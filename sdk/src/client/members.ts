import { everyEntry } from "./paging.ts";
import type { Page, PageAsk, Role } from "./shapes.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Somebody who belongs to an account. */
export interface MemberJson {
  /** The person's, `per_…`. */
  id: string;
  name: string;
  email: string;
  role: Role;
  /** Whether they sign in with a second factor. */
  two_factor: boolean;
  /** ISO 8601, UTC. */
  joined_at: string;
  /** How many keys of the account live that they made: `apiKeys.all({ created_by: id })`. */
  active_api_keys: number;
  /** How many service tokens of the account live that they made; each has an admin's rights. */
  active_service_tokens: number;
}

const PATH = ["v1", "members"] as const;

/** `/v1/members`: the people of the caller's account. */
export function memberCalls({ call }: Transport) {
  const list = (page: PageAsk = {}, options?: CallOptions) =>
    call<Page<MemberJson>>({ method: "GET", path: PATH, query: { ...page } }, options);

  return {
    /** One page of the account's members. */
    list,
    /** Every member; pages are fetched as they are needed. */
    all: (options?: CallOptions) => everyEntry((cursor) => list(cursor, options)),
    get: (id: string, options?: CallOptions) =>
      call<MemberJson>({ method: "GET", path: [...PATH, id] }, options),
    /** Gives a member another role. Once this resolves, every request of theirs is judged by it. */
    update: (id: string, body: { role: Role }, options?: CallOptions) =>
      call<MemberJson>({ method: "PATCH", path: [...PATH, id], body }, options),
    /** Removes a member; resolves to them as they were. Keys and service tokens that they made live on. */
    remove: (id: string, options?: CallOptions) =>
      call<MemberJson>({ method: "DELETE", path: [...PATH, id] }, options),
  };
}
