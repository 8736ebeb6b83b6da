/** Who did something. For a person the id is theirs; `operator` and `service_token` carry the token's id. */
export interface Actor {
  readonly type: "person" | "service_token" | "operator" | "command_line" | "system";
  readonly id: string;
  readonly name: string;
}

/** Where a change came from; part of its audit event. `address`, `userAgent`, `requestId` are `null` off HTTP. */
export interface Origin {
  readonly actor: Actor;
  readonly atMs: number;
  readonly requestId: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  /** Time-sortable id of the audit event that the change writes, `evt_…`. */
  readonly eventId: string;
}

/**
 * An `Idempotency-Key` as the store sees it: `scope` is a SHA-256 (base64url) over account, actor, method, path,
 * query and the header; `bodyDigest` a SHA-256 of the body. Kept 24 h, and never with a token.
 */
export interface Once {
  readonly scope: string;
  readonly bodyDigest: string;
}

/** What a deed under an {@link Once} can come to besides its own outcomes: `id` names what the first call made. */
export type OnceOutcome = { outcome: "replayed"; id: string } | { outcome: "mismatch" };

/** One page of a list, newest first; cursors are ids. `invalid_cursor`: no such entry in this list's account. */
export interface PageAsk {
  readonly size: number;
  readonly after?: string;
  readonly before?: string;
}
export interface PageOf<T> {
  readonly entries: readonly T[];
  /** Cursor of the next (older) page, `null` when this is the last one. */
  readonly after: string | null;
  /** Cursor of the previous (newer) page, `null` when this is the first one. */
  readonly before: string | null;
}
export type Listed<T> = ({ outcome: "page" } & PageOf<T>) | { outcome: "invalid_cursor" };

/**
 * A deed found nothing to do it to: there never was such a thing, it is another account's, or it was deleted.
 *
 * `pendingSeq` is of the revocation that took it away while nobody has seen its barrier end, else `null`: verifiers may
 * accept until then what is deleted, so "not there", which reads like "refused everywhere", must wait for it.
 */
export interface Absent {
  readonly outcome: "absent";
  readonly pendingSeq: number | null;
}

/** Deleted by this deed, whose origin a repetition may give again: `seq` is the deletion's either way. */
export interface Deleted {
  readonly outcome: "deleted";
  readonly seq: number;
}
