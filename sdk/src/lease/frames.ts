import type { Change, Loaded } from "./lookup.ts";

/**
 * What a node tells a verifier below it, in order, each frame handled before the next. `welcome` is the first of a
 * session and of it alone.
 */
export type Downward =
  | { readonly type: "welcome"; readonly leaseMs: number }
  /** Something is to be judged anew; to be acknowledged once applied. */
  | { readonly type: "change"; readonly change: Pick<Change, "seq" | "kind" | "subject"> }
  /** The node has renewed its own lease: a good time to ask. */
  | { readonly type: "renewed" }
  /** Answers one `ask`: what is held may be believed for `ms`, counted from before that ask was sent. */
  | { readonly type: "grant"; readonly ask: number; readonly ms: number }
  /** Answers one `look`, in the order of its digests. */
  | { readonly type: "found"; readonly look: number; readonly loaded: readonly Loaded[] }
  | { readonly type: "unavailable"; readonly look: number }
  /** The node stops: whoever releases now need not be waited for. */
  | { readonly type: "leaving" };

/** What a verifier tells the node above it. Only digests travel, never tokens. */
export type Upward =
  /** Asks for a sub-lease. */
  | { readonly type: "ask"; readonly ask: number }
  /** Everything up to this change has been applied. */
  | { readonly type: "ack"; readonly seq: number }
  | { readonly type: "look"; readonly look: number; readonly digests: readonly string[] }
  /** Nothing is believed any more, and nothing will be: the last frame of a session. */
  | { readonly type: "release" };
