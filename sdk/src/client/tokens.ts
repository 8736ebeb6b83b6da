import { everyEntry } from "./paging.ts";
import type { ActorJson, Page, PageAsk, ReceiptJson } from "./shapes.ts";
import type { CallOptions, CreateOptions, Transport } from "./transport.ts";

/** A verifier or operator token as the operator sees it; times are ISO 8601 UTC, `null` means "never". */
export interface TokenJson {
  id: string;
  kind: "verifier" | "operator";
  name: string;
  /** What people recognise it by, e.g. `vt_…9fQ2`. */
  hint: string;
  /** The token itself, only in the answer that created it. */
  token?: string;
  created_at: string;
  created_by: ActorJson;
  last_used_at: string | null;
}

/** A token as the answer that created it shows it. */
export type NewTokenJson = TokenJson & { token: string };

/** What a new token is made of; names are for people and need not be unique. */
export type NewToken = Pick<TokenJson, "kind" | "name">;

const PATH = ["v1", "tokens"] as const;

/** `/v1/tokens`, with an operator token or the operator's session. */
export function tokenCalls({ call, create }: Transport) {
  const list = (page: PageAsk = {}, options?: CallOptions) =>
    call<Page<TokenJson>>({ method: "GET", path: PATH, query: { ...page } }, options);

  return {
    /** One page of the operator's tokens. */
    list,
    /** Every token of the operator, newest first; pages are fetched as they are needed. */
    all: (options?: CallOptions) => everyEntry((cursor) => list(cursor, options)),
    /** Creates one. Resolves only with the token itself, as creating a key does. */
    create: <Options extends CreateOptions = CallOptions>(body: NewToken, options?: Options) =>
      create<NewTokenJson, TokenJson, Options>({ path: PATH, body }, options),
    /** Deletes one for good. Resolves when every session that came with it has ended, on every server. */
    delete: (id: string, options?: CallOptions) =>
      call<ReceiptJson>({ method: "DELETE", path: [...PATH, id], waits: true }, options),
  };
}
