import type { Role } from "./account.ts";
import type { Origin } from "./deeds.ts";

/** A sign-in link about to be stored. `digest` is the base64url SHA-256 of its secret; the address is lower case. */
export interface NewSignInLink {
  readonly id: string;
  readonly email: string;
  /** Of the person, should the link be the first that is heard of them. */
  readonly name: string;
  /** Of the membership, should there be none. */
  readonly role: Role;
  readonly digest: string;
  readonly expiresAtMs: number;
}

/** How a sign-in link is opened. */
export interface Opening {
  /** Of the person, should there be none of this address. */
  readonly newPersonId: string;
  readonly atMs: number;
  /** Makes the origin of each audit event. */
  originOf(person: { readonly id: string; readonly name: string }): Origin;
}

/** Links with which the operator's customers sign in. */
export interface SignInLinkStore {
  /** `absent`: no such account. `two_factor_required`: it is closed to whoever comes without a second factor. */
  createSignInLink(
    accountSlug: string,
    link: NewSignInLink,
    origin: Origin,
  ): Promise<{ outcome: "created" | "absent" | "two_factor_required" }>;
  /**
   * Uses a link up: of concurrent calls one opens it. Makes the person and the membership where there are none. Where
   * nobody had proved the address, the operator's word is proof, and whatever its holder signed in with is gone.
   *
   * `absent`: unknown, used, expired, or of an account that is deleted.
   */
  openSignInLink(
    digest: string,
    opening: Opening,
  ): Promise<
    | {
        outcome: "opened";
        personId: string;
        account: { readonly id: string; readonly slug: string };
      }
    | { outcome: "absent" }
    | { outcome: "two_factor_required" }
  >;
}
