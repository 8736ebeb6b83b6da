import { everyEntry } from "./paging.ts";
import type { ActorJson, Page, PageAsk, ReceiptJson } from "./shapes.ts";
import type { CallOptions, CreateOptions, Transport } from "./transport.ts";

/** A service token of an account; times are ISO 8601 UTC, `null` means "never". */
export interface ServiceTokenJson {
  id: string;
  name: string;
  /** What people recognise it by, e.g. `st_…9fQ2`. */
  hint: string;
  /** The token itself, only in the answer that created it. */
  token?: string;
  created_at: string;
  created_by: ActorJson;
  expires_at: string | null;
  last_used_at: string | null;
  /** How many API keys live that it was exchanged for; deleting it revokes them. */
  exchanged_keys: number;
}

/** A service token as the answer that created it shows it. */
export type NewServiceTokenJson = ServiceTokenJson & { token: string };

/** What a new service token is made of; names are for people and need not be unique. */
export interface NewServiceToken {
  name: string;
  /** ISO 8601; without it the token lives until it is deleted. */
  expires_at?: string | undefined;
}

const PATH = ["v1", "service_tokens"] as const;

/** `/v1/service_tokens`: the caller's own account's. */
export function serviceTokenCalls({ call, create }: Transport) {
  const list = (page: PageAsk = {}, options?: CallOptions) =>
    call<Page<ServiceTokenJson>>({ method: "GET", path: PATH, query: { ...page } }, options);

  return {
    /** One page of the account's service tokens. */
    list,
    /** Every service token of the account, newest first; pages are fetched as they are needed. */
    all: (options?: CallOptions) => everyEntry((cursor) => list(cursor, options)),
    /** Creates one. Resolves only with the token itself, as creating a key does. */
    create: <Options extends CreateOptions = CallOptions>(
      body: NewServiceToken,
      options?: Options,
    ) => create<NewServiceTokenJson, ServiceTokenJson, Options>({ path: PATH, body }, options),
    /** Deletes one for good, with the keys that it was exchanged for. Resolves when those are refused everywhere. */
    delete: (id: string, options?: CallOptions) =>
      call<ReceiptJson>({ method: "DELETE", path: [...PATH, id], waits: true }, options),
  };
}
