import { everyEntry } from "./paging.ts";
import type {
  AccountJson,
  KnownAccountJson,
  Page,
  PageAsk,
  ProvisionedJson,
  ReceiptJson,
  Role,
  SignInLinkJson,
} from "./shapes.ts";
import type { CallOptions, CreateOptions, Transport } from "./transport.ts";

/** What a new account is made of; `external_id` is your own name for the customer, `owner_email` of a person there is. */
export interface NewAccount {
  name: string;
  slug: string;
  external_id?: string | undefined;
  owner_email?: string | undefined;
}

/** What of an account can change; what is not named stays, and `external_id: null` clears it. */
export interface AccountEdit {
  name?: string | undefined;
  external_id?: string | null | undefined;
  suspended?: boolean | undefined;
}

/** Whom a sign-in link lets in. Somebody who is new becomes a member with this role; a member keeps theirs. */
export interface NewSignInLink {
  email: string;
  role: Role;
  /** What a person who is new here is called; unless given, what stands before the @ of their address. */
  name?: string | undefined;
}

const PATH = ["v1", "accounts"] as const;

/** `/v1/accounts`, with an operator token. */
export function accountCalls({ call, create }: Transport) {
  const list = (page: PageAsk = {}, options?: CallOptions) =>
    call<Page<AccountJson>>({ method: "GET", path: PATH, query: { ...page } }, options);

  return {
    /** One page of all accounts. */
    list,
    /** Every account, newest first; pages are fetched as they are needed. */
    all: (options?: CallOptions) => everyEntry((cursor) => list(cursor, options)),
    /** Provisions one, with its environments. Resolves only with its tokens, as creating a key does. */
    create: <Options extends CreateOptions = CallOptions>(body: NewAccount, options?: Options) =>
      create<ProvisionedJson, KnownAccountJson, Options>({ path: PATH, body }, options),
    /** Suspending resolves when all its keys are refused everywhere. It is not tried again by itself. */
    update: (slug: string, body: AccountEdit, options?: CallOptions) =>
      call<AccountJson>({ method: "PATCH", path: [...PATH, slug], body, waits: true }, options),
    /** A link that signs one of a customer's people in, once, within 60 s; not tried again by itself. */
    createSignInLink: (slug: string, body: NewSignInLink, options?: CallOptions) =>
      call<SignInLinkJson>(
        { method: "POST", path: [...PATH, slug, "sign_in_links"], body },
        options,
      ),
    /** Deletes one for good. Resolves when none of its keys is accepted anywhere any more. */
    delete: (slug: string, options?: CallOptions) =>
      call<ReceiptJson>({ method: "DELETE", path: [...PATH, slug], waits: true }, options),
  };
}
