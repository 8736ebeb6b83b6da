import type { OwnAccountJson } from "./shapes.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** What an owner may set of their account: one at a time. */
export type OwnAccountEdit =
  | {
      /**
       * 1 to 3,650, or `null` for no maximum. Keys that are to live longer end that long after they were made, or after
       * this is set where that is later.
       */
      api_key_max_age_days: number | null;
      require_two_factor?: undefined;
    }
  | {
      /** Closes the account to whoever has no second factor; you need one yourself. */
      require_two_factor: boolean;
      api_key_max_age_days?: undefined;
    };

const PATH = ["v1", "account"] as const;

/** `/v1/account`: the caller's own. */
export function ownAccountCalls({ call }: Transport) {
  return {
    get: (options?: CallOptions) => call<OwnAccountJson>({ method: "GET", path: PATH }, options),
    /** For owners. Resolves when every verifier anywhere knows of the ends that it brought forward. */
    update: (body: OwnAccountEdit, options?: CallOptions) =>
      call<OwnAccountJson>({ method: "PATCH", path: PATH, body, waits: true }, options),
  };
}
