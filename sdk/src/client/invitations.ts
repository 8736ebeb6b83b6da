import { everyEntry } from "./paging.ts";
import type { ActorJson, Page, PageAsk, Role } from "./shapes.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** An invitation that is neither accepted nor cancelled; times are ISO 8601 UTC. */
export interface InvitationJson {
  id: string;
  email: string;
  role: Role;
  created_at: string;
  /** Whoever sent its newest link. */
  created_by: ActorJson;
  expires_at: string;
  /** Whether the link went by mail, and so alone. */
  mailed: boolean;
  /** Where the server sends no mail: in the answer that made it, this once. */
  link?: string;
  /** Why the mail server did not take it: send it again. */
  mail_error?: string;
}

const PATH = ["v1", "invitations"] as const;

/** `/v1/invitations`: to the caller's account. */
export function invitationCalls({ call }: Transport) {
  const list = (page: PageAsk = {}, options?: CallOptions) =>
    call<Page<InvitationJson>>({ method: "GET", path: PATH, query: { ...page } }, options);

  return {
    /** One page of the open invitations, expired ones too. */
    list,
    /** Every open invitation, newest first; pages are fetched as they are needed. */
    all: (options?: CallOptions) => everyEntry((cursor) => list(cursor, options)),
    /** Invites an address. An open invitation of the same address is replaced, and its link is dead. */
    create: (body: { email: string; role: Role }, options?: CallOptions) =>
      call<InvitationJson>({ method: "POST", path: PATH, body }, options),
    /** Makes a new link, by mail again or in this answer; the one before is dead. */
    send: (id: string, options?: CallOptions) =>
      call<InvitationJson>({ method: "POST", path: [...PATH, id, "send"], body: {} }, options),
    /** Cancels one; its link is dead once this resolves. */
    cancel: (id: string, options?: CallOptions) =>
      call<InvitationJson>({ method: "DELETE", path: [...PATH, id] }, options),
  };
}
