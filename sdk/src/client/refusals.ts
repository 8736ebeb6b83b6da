import { everyEntry } from "./paging.ts";
import type { ActorJson, ApiKeyType, Page, PageAsk } from "./shapes.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Why a key was refused. The caller is told less: `code` of the {@link RefusalJson} is what they got. */
export type KeyRefusalReason =
  | "revoked"
  | "expired"
  | "incorrect_token_type"
  | "environment_mismatch";

/** Why a request without any known key was refused: those belong to no account. */
export type UnattributedRefusalReason =
  | "authentication_required"
  | "malformed"
  | "wrong_kind"
  | "unknown";

/** The key of a refusal, as it is now. */
export interface RefusedApiKeyJson {
  id: string;
  hint: string;
  type: ApiKeyType;
  description: string;
  environment: string;
  status: "active" | "revoked" | "expired";
  expires_at: string | null;
  revoked_at: string | null;
  revoked_by: ActorJson | null;
  revoked_reason: string | null;
  /** The id of its successor. */
  rotated_to: string | null;
}

/** A refused request, with the truth that its caller was not told. Times are ISO 8601 UTC. */
export interface RefusalJson {
  /** What the caller got as `X-Request-Id`. */
  request_id: string;
  at: string;
  reason: KeyRefusalReason | UnattributedRefusalReason;
  /** The status and the code that the caller was told. */
  status: 401 | 403;
  code: string;
  /** What happened, in one English sentence. */
  explanation: string;
  address: string | null;
  user_agent: string | null;
  /** What the request was checked for; `environment` is the slug, `null` for any. */
  asked: { types: ApiKeyType[]; environment: string | null };
  /** `null` where no key was found. */
  api_key: RefusedApiKeyJson | null;
  /** How long after the revocation or the expiry of the key it came, in milliseconds; `null` for other reasons. */
  late_by_ms: number | null;
}

/** Which refusals to list. */
export interface RefusalSearch {
  /** Slug of the environment of the key. */
  environment?: string | undefined;
  api_key_id?: string | undefined;
  reason?: KeyRefusalReason | undefined;
}

/** Which page of which refusals. */
export type RefusalFilter = RefusalSearch & PageAsk;

/** Which refusals to list that belong to no account. */
export interface UnattributedRefusalSearch {
  reason?: UnattributedRefusalReason | undefined;
}

/** Which page of them. */
type UnattributedRefusalFilter = UnattributedRefusalSearch & PageAsk;

/** Calls of one list of refusals, by what it can be searched for. */
function refusalCalls<Search extends RefusalSearch | UnattributedRefusalSearch>(
  { call }: Transport,
  path: readonly string[],
) {
  const page = (query: RefusalFilter | UnattributedRefusalFilter, options?: CallOptions) =>
    call<Page<RefusalJson>>({ method: "GET", path, query: { ...query } }, options);

  return {
    /** One page of the refusals that were kept. */
    list: (filter?: Search & PageAsk, options?: CallOptions) => page({ ...filter }, options),
    /** All that were kept, newest first; pages are fetched as they are needed. */
    all: (search?: Search, options?: CallOptions) =>
      everyEntry((cursor) => page({ ...search, ...cursor }, options)),
    /** The one whose caller got this request id. */
    get: (requestId: string, options?: CallOptions) =>
      call<RefusalJson>({ method: "GET", path: [...path, requestId] }, options),
  };
}

/** `/v1/refusals`: those of an account's keys. */
export const accountRefusalCalls = (transport: Transport) =>
  refusalCalls<RefusalSearch>(transport, ["v1", "refusals"]);

/** `/v1/operator/refusals`: those that belong to no account. */
export const operatorRefusalCalls = (transport: Transport) =>
  refusalCalls<UnattributedRefusalSearch>(transport, ["v1", "operator", "refusals"]);
