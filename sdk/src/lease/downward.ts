import type { KeyRecord } from "../judge.ts";
import { type Downward, FRAME_BOUNDS, isObject } from "./frames.ts";
import type { Loaded } from "./lookup.ts";
import { createSharing, type Sharing } from "./sharing.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Longest lease that a node may speak of, ms: more is an error of somebody's, and would be believed for as long. */
const LEASE_MS_MAX = 60_000;

/** Makes a parser of what nodes say; `null` for what is no frame. Records share their accounts and environments. */
export function downwardParser(): (fields: Fields) => Downward | null {
  const sharing = createSharing();
  return (fields) => {
    const { type, leaseMs, ask, ms, look, batch, change, loaded } = fields;
    switch (type) {
      case "welcome":
        return isLease(leaseMs) ? { type, leaseMs } : null;
      case "change":
        return parseChange(change);
      case "grant":
        return isCount(ask) && isLease(ms) ? { type, ask, ms } : null;
      case "found": {
        const list = parseLoaded(loaded, sharing);
        return isCount(look) && list !== null ? { type, look, loaded: list } : null;
      }
      case "unavailable":
        return isCount(look) ? { type, look } : null;
      case "stored":
        return isCount(batch) ? { type, batch } : null;
      case "renewed":
      case "leaving":
        return { type };
      default:
        return null;
    }
  };
}

function parseChange(value: unknown): Downward | null {
  if (!isObject(value)) return null;
  const { seq, kind, subject } = value;
  if (!isCount(seq) || typeof subject !== "string") return null;
  if (kind !== "key" && kind !== "environment" && kind !== "account") return null;
  return { type: "change", change: { seq, kind, subject } };
}

function parseLoaded(value: unknown, sharing: Sharing): readonly Loaded[] | null {
  if (!Array.isArray(value) || value.length > FRAME_BOUNDS.digestsMax) return null;
  const list: Loaded[] = [];
  for (const each of value) {
    if (!isObject(each) || typeof each.cacheable !== "boolean") return null;
    const key = each.key === null ? null : parseRecord(each.key, sharing);
    if (key === undefined) return null;
    list.push({ key, cacheable: each.cacheable });
  }
  return list;
}

function parseRecord(value: unknown, sharing: Sharing): KeyRecord | undefined {
  if (!isObject(value)) return undefined;
  const { id, type, metadata, account, environment, revokedAtMs, expiresAtMs } = value;
  if (typeof id !== "string" || (type !== "secret" && type !== "public")) return undefined;
  if (!isStrings(metadata) || !isTime(revokedAtMs) || !isTime(expiresAtMs)) return undefined;
  if (!isObject(account) || !isObject(environment)) return undefined;
  if (typeof account.id !== "string" || typeof account.slug !== "string") return undefined;
  if (typeof account.externalId !== "string" && account.externalId !== null) return undefined;
  if (typeof environment.id !== "string" || typeof environment.slug !== "string") return undefined;
  return {
    id,
    type,
    metadata: sharing.metadata(metadata),
    account: sharing.account(account.id, account.slug, account.externalId),
    environment: sharing.environment(environment.id, environment.slug),
    revokedAtMs,
    expiresAtMs,
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isLease(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value <= LEASE_MS_MAX;
}

/** Unix ms, or `null` for never. */
function isTime(value: unknown): value is number | null {
  return value === null || Number.isSafeInteger(value);
}

function isStrings(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((each) => typeof each === "string");
}
