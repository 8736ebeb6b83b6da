import { Failure } from "@latchkey/sdk/core";
import type { Absent, Listed, PageAsk, PageOf } from "../store/store.ts";
import type { Barrier } from "./revocation/barrier.ts";

type Noun =
  | "account"
  | "API key"
  | "environment"
  | "invitation"
  | "member"
  | "person"
  | "refusal"
  | "token";

/** "Not there", which is also what "not yours" reads like: the message names the kind of thing and nothing else. */
export function missing(noun: Noun): Failure {
  return new Failure("resource_missing", `There is no such ${noun}.`);
}

/**
 * The answer of a deed that takes something away and found it gone. Whoever repeats a deletion because its answer was
 * lost reads this as "refused everywhere", and so gets it only once that is so.
 *
 * @throws Failure `service_unavailable` when that could not be proved.
 */
export async function gone(
  barrier: Pick<Barrier, "complete">,
  noun: Noun,
  { pendingSeq }: Absent,
): Promise<Failure> {
  if (pendingSeq !== null) await barrier.complete(pendingSeq);
  return missing(noun);
}

/** An `Idempotency-Key` that came before with another body. */
export function mismatch(): Failure {
  return new Failure(
    "idempotency_mismatch",
    "This Idempotency-Key was used before with a different request body.",
  );
}

/** A field of a request that makes no sense, where its shape alone did not show it. */
export function wrong(field: string, message: string): Failure {
  return new Failure("invalid_params", "Some parameters are wrong.", {
    errors: [{ field, message }],
  });
}

/** @throws Failure `invalid_params`, on the cursor that the page was asked with, when it is not one of this list. */
export function pageOf<T>(listed: Listed<T>, ask: PageAsk): PageOf<T> {
  if (listed.outcome === "page") return listed;
  const field = ask.after === undefined ? "before" : "after";
  throw wrong(field, "Is not a cursor of this list.");
}
