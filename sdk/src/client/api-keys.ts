import { everyEntry } from "./paging.ts";
import type {
  ApiKeyJson,
  ApiKeyType,
  IssuedApiKeyJson,
  Page,
  PageAsk,
  RotatedApiKeyJson,
  VerdictJson,
} from "./shapes.ts";
import type { Ask, CallOptions, CreateOptions, Transport } from "./transport.ts";
import { type ApiKeyUsageJson, csvOf, type UsageRange } from "./usage.ts";

/**
 * Which keys to list: the active ones unless `status` says otherwise. `q` searches hint, description and id. Without
 * `environment` those of every environment, which then `created_by` has to narrow.
 */
export interface ApiKeySearch {
  environment?: string | undefined;
  /** Id of the person or service token that made them. */
  created_by?: string | undefined;
  status?: "active" | "revoked" | "expired" | "all" | undefined;
  q?: string | undefined;
  /** `never`: never accepted. `over_90_days_ago`: not accepted for 90 days, and not created since then. */
  last_used?: "never" | "over_90_days_ago" | undefined;
  /** By when the key ends; what has ended is found by `status`. */
  expires?: "within_7_days" | "within_30_days" | "never" | undefined;
}

/** Which page of which keys. */
export type ApiKeyFilter = ApiKeySearch & PageAsk;

/** What a new key is made of; `expires_at` is ISO 8601, and without it the key lives until it is revoked. */
export interface NewApiKey {
  type: ApiKeyType;
  description?: string | undefined;
  metadata?: Record<string, string> | undefined;
  expires_at?: string | undefined;
}

/** What of a key can change; what is not named stays. Neither of what ends it can be changed once it has ended. */
export interface ApiKeyEdit extends Pick<NewApiKey, "description" | "metadata"> {
  /** Its end, ISO 8601, or `null` for none. Not of a key that is being rotated. */
  expires_at?: string | null | undefined;
  /** Of a key that is being rotated, 1 to 2,592,000; counted from when the overlap started. */
  overlap_seconds?: number | undefined;
}

/** How a key is replaced. */
export interface Rotation {
  /** How long the old key is accepted beside its successor, 0 to 2,592,000 (30 days). 0 revokes it. */
  overlap_seconds: number;
  /** Whether that counts from `now`, as it does unless given, or from the first use of the successor. */
  starts?: "now" | "first_use" | undefined;
  /** The successor's own end, or `null` for none. Unless given it lives as long as the old one was made for. */
  expires_at?: string | null | undefined;
}

/** A token to judge, and what it is asked for: `secret` unless `type` says otherwise, in any environment. */
export interface VerifyAsk {
  api_key: string;
  type?: ApiKeyType | "any" | undefined;
  environment?: string | undefined;
  /** Who sent you the key, for its owner to see. */
  caller?:
    | { address?: string | null | undefined; user_agent?: string | null | undefined }
    | undefined;
}

const PATH = ["v1", "api_keys"] as const;

/** `/v1/api_keys` */
export function apiKeyCalls({ call, create }: Transport) {
  const list = (filter: ApiKeyFilter, options?: CallOptions) =>
    call<Page<ApiKeyJson>>({ method: "GET", path: PATH, query: { ...filter } }, options);
  const usage = (id: string, range: UsageRange): Ask => ({
    method: "GET",
    path: [...PATH, id, "usage"],
    query: { ...range },
  });

  return {
    /** One page of an environment's keys, or of those that somebody made. */
    list,
    /** Every key of an environment, or that somebody made, newest first; pages are fetched as they are needed. */
    all: (search: ApiKeySearch, options?: CallOptions) =>
      everyEntry((cursor) => list({ ...search, ...cursor }, options)),
    get: (id: string, options?: CallOptions) =>
      call<ApiKeyJson>({ method: "GET", path: [...PATH, id] }, options),
    /** Issues a key. Resolves only with its token, unless an `idempotencyKey` of your own was used before. */
    create: <Options extends CreateOptions = CallOptions>(
      environment: string,
      body: NewApiKey,
      options?: Options,
    ) =>
      create<IssuedApiKeyJson, ApiKeyJson, Options>(
        { path: PATH, query: { environment }, body },
        options,
      ),
    /** Bringing the end of a key forward resolves when every verifier anywhere knows it. */
    update: (id: string, body: ApiKeyEdit, options?: CallOptions) =>
      call<ApiKeyJson>({ method: "PATCH", path: [...PATH, id], body, waits: true }, options),
    /**
     * Replaces a key: issues its successor, and ends the old one after the overlap. Resolves only with the successor's
     * token, as creating does. To end the overlap early, revoke the old key.
     */
    rotate: <Options extends CreateOptions = CallOptions>(
      id: string,
      body: Rotation,
      options?: Options,
    ) =>
      create<RotatedApiKeyJson, Omit<RotatedApiKeyJson, "api_key">, Options>(
        { path: [...PATH, id, "rotate"], body, waits: true },
        options,
      ),
    /** Exchanges a service token for a secret key of one environment that lives for an hour. */
    exchange: (environment: string, options?: CallOptions) =>
      call<{ api_key: string }>(
        { method: "POST", path: [...PATH, "exchange"], query: { environment }, body: {} },
        options,
      ),
    /**
     * Revokes a key for good. Resolves when no verifier anywhere accepts it any more; with `wait: false` as soon as
     * that is recorded. Of a key that is revoked already the first revocation stands.
     */
    revoke: (
      id: string,
      body: { reason?: string | undefined } = {},
      { wait = true, ...options }: CallOptions & { wait?: boolean | undefined } = {},
    ) => {
      const query = wait ? {} : { wait: "false" };
      const path = [...PATH, id, "revoke"];
      return call<ApiKeyJson>(
        { method: "POST", path, query, body, repeatable: true, waits: wait },
        options,
      );
    },
    /** How a key was used, and by whom. */
    usage: (id: string, range: UsageRange = {}, options?: CallOptions) =>
      call<ApiKeyUsageJson>(usage(id, range), options),
    /** The counts of a key as CSV (RFC 4180). */
    usageCsv: (id: string, range: UsageRange = {}, options?: CallOptions) =>
      call<string>(csvOf(usage(id, range)), options),
    /** Judges a token, for servers that can run neither the verifier nor a proxy; with a verifier token. */
    verify: (body: VerifyAsk, options?: CallOptions) =>
      call<VerdictJson>(
        { method: "POST", path: [...PATH, "verify"], body, repeatable: true },
        options,
      ),
  };
}
