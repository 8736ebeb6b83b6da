import type { UsageBatch } from "../usage.ts";
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
  /** The batch of that number is stored. */
  | { readonly type: "stored"; readonly batch: number }
  /** The session ends, for the node stops or the credential is gone: whoever releases now need not be waited for. */
  | { readonly type: "leaving" };

/** What a verifier tells the node above it. Only digests travel, never tokens. */
export type Upward =
  /** Asks for a sub-lease. */
  | { readonly type: "ask"; readonly ask: number }
  /** Everything up to this change has been applied. */
  | { readonly type: "ack"; readonly seq: number }
  | { readonly type: "look"; readonly look: number; readonly digests: readonly string[] }
  /**
   * What the process of that random id has counted; sent again in every session until it is stored. `hurry`: more is
   * waiting for it, or the process ends.
   */
  | {
      readonly type: "usage";
      readonly source: string;
      readonly hurry: boolean;
      readonly batch: UsageBatch;
    }
  /** Nothing is believed any more, and nothing will be: the last frame of a session. */
  | { readonly type: "release" };

/** The subprotocol of the WebSocket on which frames travel. */
export const SUBPROTOCOL = "latchkey.v1";

/** Bounds of frames, each way. What fits: an answer to a look of a whole batch of keys with all the
 * metadata they may have, and a batch of usage with the longest User-Agents. */
export const FRAME_BOUNDS = {
  upBytesMax: 512 * 1024,
  downBytesMax: 8 * 1024 * 1024,
  /** Digests in one look. */
  digestsMax: 500,
} as const;

/** What arrived is no frame, or not the next one: the connection is to be closed. Says nothing of the content. */
export class BadFrame extends Error {
  constructor(reason: string) {
    super(`bad frame: ${reason}`);
    this.name = "BadFrame";
  }
}

/** Turns frames into text, numbered from 1, so that the other end notices when one is missing. */
export function frameWriter<Frame extends Upward | Downward>(): (frame: Frame) => string {
  let number = 0;
  return (frame) => {
    number += 1;
    return JSON.stringify({ n: number, ...frame });
  };
}

/**
 * Turns text into frames, in order.
 *
 * @param parse Makes a frame of a JSON object's fields, or `null` when it is none.
 * @returns A function that throws {@link BadFrame}.
 */
export function frameReader<Frame>(
  bytesMax: number,
  parse: (fields: Readonly<Record<string, unknown>>) => Frame | null,
): (data: unknown) => Frame {
  let number = 0;
  return (data) => {
    if (typeof data !== "string") throw new BadFrame("not text");
    if (data.length > bytesMax) throw new BadFrame("too long");
    const fields = objectOf(data);
    if (fields === null) throw new BadFrame("not a JSON object");
    number += 1;
    if (fields.n !== number) throw new BadFrame("not the next one");
    const frame = parse(fields);
    if (frame === null) throw new BadFrame("unknown or malformed");
    return frame;
  };
}

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isObject(value) ? value : null;
}

/** Whether a JSON value is an object, and no array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
