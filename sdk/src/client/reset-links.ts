import type { ResetLinkJson } from "./shapes.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Who is to choose a new password. */
export interface NewResetLink {
  email: string;
  /** Turns their second factor off as well, for somebody who has lost it. */
  remove_two_factor?: boolean | undefined;
}

/** `/v1/password_reset_links`, with an operator token. */
export function resetLinkCalls({ call }: Transport) {
  return {
    /** A link to hand to a person whom you know to be that person. */
    create: (body: NewResetLink, options?: CallOptions) =>
      call<ResetLinkJson>({ method: "POST", path: ["v1", "password_reset_links"], body }, options),
  };
}
