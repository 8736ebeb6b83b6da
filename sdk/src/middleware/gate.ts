import { Failure } from "../failure.ts";
import type { Ask, KeyType } from "../judge.ts";
import type { Caller } from "../usage.ts";
import type { Accepted, Verdict } from "../verdict.ts";
import type { Verify } from "../verifier.ts";
import { type Answer, answerToFailure, answerToRefusal } from "./answer.ts";

/** What every middleware is told. */
export interface GateOptions<Req = unknown> {
  /** What `connectVerifier` resolves to, or anything that verifies like it. */
  readonly verifier: { readonly verify: Verify };
  /** Types of keys that may pass; only secret ones unless given. */
  readonly types?: readonly KeyType[];
  /** Slug of the only environment that may pass; absent: each, and the verdict says which it is. */
  readonly environment?: string;
  /**
   * Whether the owner of a key is told who uses it: address and User-Agent of each request. `false`: neither leaves this
   * process.
   */
  readonly callers?: boolean;
  /**
   * The address of whoever sent a request, where the framework does not know: behind a proxy, whose header is to be
   * believed only when nobody else can reach the app. What it throws counts as not known.
   */
  address?(request: Req): string | null | undefined;
}

/** A request that goes no further. `failure` is there when it could not be decided: then this is no refusal. */
export interface Stopped {
  readonly ok: false;
  readonly answer: Answer;
  readonly failure: Failure | null;
}

/** A request as its framework shows it. */
export interface Incoming<Req> {
  readonly request: Req;
  readonly authorization: string | null | undefined;
  readonly userAgent: string | null | undefined;
  /** As far as the framework knows. */
  readonly address: string | null | undefined;
}

/** Decides about a request: at once when the key is warm. The promise never rejects. */
export type Gate<Req> = (
  incoming: Incoming<Req>,
) => Accepted | Stopped | Promise<Accepted | Stopped>;

/**
 * What all middleware shares: a request in, and either an accepted verdict or the whole answer out. Only a verdict that
 * says yes is ever let through; whatever else happens is a 503.
 *
 * @throws TypeError when `environment` is given but undefined, as a variable that is not set: the wall would be gone.
 */
export function createGate<Req>(options: GateOptions<Req>): Gate<Req> {
  const { verifier, types = ["secret"], callers = true, address, ...wall } = options;
  const callerOf = (incoming: Incoming<Req>): Caller => ({
    address: (address === undefined ? incoming.address : addressBy(address, incoming)) ?? null,
    userAgent: incoming.userAgent ?? null,
  });
  if ("environment" in wall && typeof wall.environment !== "string")
    throw new TypeError("apiKeyAuth: environment is given, but is not a string");
  const ask: Ask = { types: [...types], environment: wall.environment };
  return (incoming) => {
    try {
      const caller = callers ? callerOf(incoming) : undefined;
      const verdict = verifier.verify(schemed(incoming.authorization), ask, undefined, caller);
      return "ok" in verdict ? passage(verdict) : verdict.then(passage, undecided);
    } catch (error) {
      return undecided(error);
    }
  };
}

function addressBy<Req>(
  address: NonNullable<GateOptions<Req>["address"]>,
  { request }: Incoming<Req>,
): string | null | undefined {
  try {
    return address(request);
  } catch {
    return null;
  }
}

function passage(verdict: Verdict): Accepted | Stopped {
  if (verdict.ok) return verdict;
  return { ok: false, answer: answerToRefusal(verdict), failure: null };
}

function undecided(error: unknown): Stopped {
  const failure =
    error instanceof Failure && error.code === "verification_unavailable"
      ? error
      : new Failure("verification_unavailable", "The API key could not be verified.", {
          cause: error,
        });
  return { ok: false, answer: answerToFailure(failure), failure };
}

/** The header with its scheme; `null` for a token without one, which a verifier would take but HTTP does not. */
function schemed(authorization: string | null | undefined): string | null {
  return authorization?.includes(" ") ? authorization : null;
}

/**
 * Lets the app answer a failure itself. What it throws is dropped: it has come from the place that reports failures, and
 * the caller still gets a 503.
 *
 * @returns What `onFailure` came to; `undefined` when it threw or there is none.
 */
export async function outcomeOf(onFailure: (() => unknown) | undefined): Promise<unknown> {
  try {
    return await onFailure?.();
  } catch {
    return undefined;
  }
}
