import type { KeyType } from "@latchkey/sdk/core";
import type { Actor, ApiKey, Refused } from "../../store/store.ts";

/**
 * How far two clocks may be apart before a revocation counts as later than a refusal. The one is of the server that
 * recorded it, the other of the process that refused.
 */
const CLOCKS_APART_MS = 60_000;

/**
 * How long after the end of its key a request was refused, ms; `null` when that is not why it was refused.
 *
 * Never less than 0: where the clocks disagree, it was at once.
 */
export function lateByMs(refused: Refused): number | null {
  const endedAtMs = endOf(refused);
  return endedAtMs === null ? null : Math.max(0, refused.atMs - endedAtMs);
}

/**
 * Tells whoever may know why a request was refused: the truth, in one English sentence.
 *
 * What it says of the key is as of now; what was true then and is not any more is told only as far as the record shows.
 */
export function explanationOf(refused: Refused): string {
  const { reason, key } = refused;
  switch (reason) {
    case "no_credentials":
      return "The request had no API key in its Authorization header.";
    case "malformed":
      return "What the request had in its Authorization header is no API key: its form or its checksum is wrong.";
    case "wrong_kind":
      return "The request had a token of another kind, such as a service token, where an API key belongs.";
    case "unknown":
      return "The request had a well-formed API key that is not known here: made up, or of another installation.";
    case "revoked":
      return revoked(refused);
    case "expired":
      return expired(refused);
    case "type":
      return `This is a ${key?.type ?? "different"} key, and the request was checked for ${typesText(refused.types)}.`;
    case "environment":
      return `This API key belongs to the environment ${key?.environment.slug ?? "of another name"}, and the request was checked for ${refused.environment ?? "another"}.`;
  }
}

/** When the key of a refusal had ended, if that is why it was refused. */
function endOf({ reason, key, atMs }: Refused): number | null {
  if (reason === "expired") return key?.expiresAtMs ?? null;
  if (reason !== "revoked" || key === null || key.revokedAtMs === null) return null;
  // A key that was revoked only later had been refused for something else: its account was suspended.
  return key.revokedAtMs - atMs <= CLOCKS_APART_MS ? key.revokedAtMs : null;
}

function revoked(refused: Refused): string {
  const endedAtMs = endOf(refused);
  if (endedAtMs === null)
    return "This API key had not been revoked itself: its account was suspended when the request came.";
  const { key } = refused;
  const by = key?.revokedBy === undefined ? "" : actorText(key.revokedBy);
  const successor = successorText(key);
  return `This API key was revoked on ${timeText(endedAtMs)}${by}${successor}; this request came ${lateText(refused)}.`;
}

function expired(refused: Refused): string {
  const endedAtMs = endOf(refused);
  const at = endedAtMs === null ? "" : ` on ${timeText(endedAtMs)}`;
  const { key } = refused;
  const how =
    key !== null && endedWithOverlap(key)
      ? `, at the end of its rotation's overlap; its successor is ${key.rotatedTo}`
      : successorText(key);
  return `This API key expired${at}${how}; this request came ${lateText(refused)}.`;
}

/** Whether it was the overlap that ended it, and not what it was made with. */
function endedWithOverlap({ overlap, expiresAtMs }: ApiKey): boolean {
  if (overlap === null || overlap.startedAtMs === null) return false;
  return expiresAtMs === overlap.startedAtMs + overlap.lengthMs;
}

function successorText(key: ApiKey | null): string {
  return key === null || key.rotatedTo === null
    ? ""
    : ", after it was rotated to its successor ".concat(key.rotatedTo);
}

function actorText(actor: Actor | null): string {
  switch (actor?.type) {
    case "person":
      return ` by ${actor.name}`;
    case "service_token":
      return ` by the service token "${actor.name}"`;
    case "operator":
      return " by the operator";
    case "command_line":
      return " from the command line";
    default:
      return "";
  }
}

function typesText(types: readonly KeyType[]): string {
  return types.map((type) => `a ${type} key`).join(" or ");
}

/** E.g. `2026-11-22 at 14:03 UTC`. */
function timeText(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 10)} at ${iso.slice(11, 16)} UTC`;
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** In the largest unit that is full, e.g. `1 day later`. */
function lateText(refused: Refused): string {
  const lateMs = lateByMs(refused) ?? 0;
  const full = UNITS.find(([, ms]) => lateMs >= ms);
  if (full === undefined) return "within the same second";
  const [unit, unitMs] = full;
  const count = Math.floor(lateMs / unitMs);
  return `${count} ${unit}${count === 1 ? "" : "s"} later`;
}
