import type { KeyRecord } from "../judge.ts";

/** Lets records share their parts: see {@link createSharing}. */
export interface Sharing {
  account(id: string, slug: string, externalId: string | null): KeyRecord["account"];
  environment(id: string, slug: string): KeyRecord["environment"];
  metadata(metadata: KeyRecord["metadata"]): KeyRecord["metadata"];
}

/** Accounts, and environments, that records share; past it the sharing starts anew. */
const SHARED_MAX = 10_000;

const NO_METADATA: KeyRecord["metadata"] = Object.freeze({});

/**
 * Lets records share their accounts and environments: a cache holds many keys of few of them. What changed since, such
 * as an account's external id, is not shared on.
 */
export function createSharing(): Sharing {
  const accounts = new Map<string, KeyRecord["account"]>();
  const environments = new Map<string, KeyRecord["environment"]>();
  return {
    account(id, slug, externalId) {
      const known = accounts.get(id);
      if (known?.slug === slug && known.externalId === externalId) return known;
      return keep(accounts, id, { id, slug, externalId });
    },
    environment(id, slug) {
      const known = environments.get(id);
      return known?.slug === slug ? known : keep(environments, id, { id, slug });
    },
    metadata(metadata) {
      for (const _ in metadata) return metadata;
      return NO_METADATA;
    },
  };
}

function keep<T>(known: Map<string, T>, id: string, part: T): T {
  if (known.size >= SHARED_MAX) known.clear();
  known.set(id, part);
  return part;
}
