import { z } from "zod";
import type { Ambient } from "../ambient.ts";
import { type AttemptRule, attemptCounter, spendAttempt } from "../domain/attempts.ts";
import { networkOf } from "./address.ts";
import { readJsonBody } from "./body.ts";
import { nothing } from "./fields.ts";
import type { HttpBindings } from "./front.ts";
import { type OwnOrigin, refuseOtherOrigins } from "./origin.ts";
import { parseQuery, parseWith } from "./parse.ts";

/** The secret of a link, in a body. */
export const linkSecret = z
  .string()
  .min(1, "Must not be empty.")
  .max(256, "At most 256 characters.");

/**
 * Stands before routes that take the secret of a link, and no other credentials: pages of other sites are refused, and
 * one network tries so often. A secret has 192 bits, so that this bounds work, not guessing.
 *
 * @param bounds.addressesMax Networks whose tries are remembered.
 * @returns Reads the body of a request. Throws a Failure for what it keeps out.
 */
export function linkDoor(
  deps: { readonly ownOrigin: OwnOrigin; readonly ambient: Ambient },
  bounds: { readonly tries: AttemptRule; readonly addressesMax: number },
) {
  const tries = attemptCounter(bounds.addressesMax);
  return async <Schema extends z.ZodType>(
    request: Request,
    { address }: HttpBindings,
    schema: Schema,
  ): Promise<z.output<Schema>> => {
    refuseOtherOrigins(request.headers, deps.ownOrigin);
    const network = networkOf(address);
    spendAttempt(tries, network, bounds.tries, deps.ambient.nowMs(), TOO_MANY);
    parseQuery(nothing, new URL(request.url).search);
    return parseWith(schema, (await readJsonBody(request)).value);
  };
}

const TOO_MANY = "Too many attempts. Wait, then try again.";
