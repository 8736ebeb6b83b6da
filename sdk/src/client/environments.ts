import { everyEntry } from "./paging.ts";
import type { EnvironmentJson, NewEnvironmentJson, Page, PageAsk, ReceiptJson } from "./shapes.ts";
import type { CallOptions, CreateOptions, Transport } from "./transport.ts";

const PATH = ["v1", "environments"] as const;

/** `/v1/environments` */
export function environmentCalls({ call, create }: Transport) {
  const list = (page: PageAsk = {}, options?: CallOptions) =>
    call<Page<EnvironmentJson>>({ method: "GET", path: PATH, query: { ...page } }, options);

  return {
    /** One page of the account's environments. */
    list,
    /** Every environment of the account, newest first; pages are fetched as they are needed. */
    all: (options?: CallOptions) => everyEntry((cursor) => list(cursor, options)),
    /** Adds one, with its first two keys. Resolves only with their tokens, as creating a key does. */
    create: <Options extends CreateOptions = CallOptions>(
      body: { name: string; slug: string },
      options?: Options,
    ) => create<NewEnvironmentJson, EnvironmentJson, Options>({ path: PATH, body }, options),
    rename: (slug: string, body: { name: string }, options?: CallOptions) =>
      call<EnvironmentJson>({ method: "PATCH", path: [...PATH, slug], body }, options),
    /** Deletes one for good. Resolves when none of its keys is accepted anywhere any more. */
    delete: (slug: string, options?: CallOptions) =>
      call<ReceiptJson>({ method: "DELETE", path: [...PATH, slug], waits: true }, options),
  };
}
