/** What kind of API key: a `secret` key (`sk_…`) or a `public` one (`pk_…`). */
export type ApiKeyType = "secret" | "public";

/** Who did something: a person, a service token, the operator, the command line or the system itself. */
export interface ActorJson {
  type: "person" | "service_token" | "operator" | "command_line" | "system";
  id: string;
  name: string;
}

/**
 * How far a revocation has come. `effective` means that no verifier anywhere accepts the key any more; times are
 * ISO 8601 UTC, `took_ms` counts from the commit, `acknowledged` and `lapsed` count nodes and verifiers below them.
 */
export interface RevocationJson {
  state: "pending" | "effective";
  effective_at: string | null;
  took_ms: number | null;
  acknowledged: number;
  lapsed: number;
}

/** An API key as the management API shows it. Times are ISO 8601 UTC with milliseconds; `null` means "never" or "none". */
export interface ApiKeyJson {
  id: string;
  /** Slug of the environment that the key belongs to. */
  environment: string;
  type: ApiKeyType;
  description: string;
  metadata: Record<string, string>;
  /** What people recognise a key by, e.g. `sk_…9fQ2`. */
  hint: string;
  /** The token: always there for public keys, for secret ones only in the answer that issued them. */
  api_key?: string;
  created_at: string;
  created_by: ActorJson;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
  revoked_by: ActorJson | null;
  revoked_reason: string | null;
  revocation: RevocationJson | null;
  rotated_from: string | null;
  rotated_to: string | null;
}

/** An environment; the tokens are there only in the answer that created it. */
export interface EnvironmentJson {
  id: string;
  slug: string;
  name: string;
  created_at: string;
  public_key?: string;
  secret_key?: string;
}

/** A role in an account, from most to least rights. */
export type Role = "owner" | "admin" | "member" | "support";

/** Who is signed in, and where they belong. */
export interface MeJson {
  person: { id: string; name: string; email: string };
  accounts: { id: string; slug: string; name: string; role: Role }[];
}

/** What setting up or provisioning an account answers, with every secret this once. */
export interface ProvisionedJson {
  account: { id: string; name: string; slug: string };
  environments: { id: string; slug: string; public_key: string; secret_key: string }[];
  service_token: string;
  verifier_token?: string;
  operator_token?: string;
}

/** One page of a list, newest first. `after` fetches the next (older) page, `before` the previous one. */
export interface Page<T> {
  entries: T[];
  page_info: { after: string | null; before: string | null; page_size: number };
}

/** Which keys to list. `q` searches hint, description and id. */
export interface ApiKeyFilter {
  environment: string;
  status?: "active" | "revoked" | "expired" | "all";
  q?: string;
  after?: string;
  before?: string;
  page_size?: number;
}

/** What a new key is made of; `expires_at` is ISO 8601. */
export interface NewApiKey {
  type: ApiKeyType;
  description?: string;
  metadata?: Record<string, string>;
  expires_at?: string;
}

/**
 * A request that the server refused or could not serve.
 *
 * `status` is 0 when no answer came. `errors` names the wrong fields of a 422. `code` and `message` are those of
 * docs/errors.md; `requestId` is what support asks for.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly errors: readonly { field: string; message: string }[];
  /** Seconds until a retry makes sense, from `Retry-After`; absent when the server did not say. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    body: Partial<{
      code: string;
      message: string;
      request_id: string;
      errors: { field: string; message: string }[];
    }>,
    retryAfterSeconds?: number,
  ) {
    super(body.message ?? `The server answered ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.code = body.code ?? "unknown";
    this.requestId = body.request_id ?? null;
    this.errors = body.errors ?? [];
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface ClientOptions {
  /** Where the server is, e.g. `http://127.0.0.1:4400`; absent in the dashboard, which calls its own origin. */
  url?: string;
  /** A service or operator token; absent when a dashboard session's cookie stands in. */
  token?: string;
  /** Slug of the account that a dashboard session acts for; a service token has its own. */
  account?: string;
  /** Used instead of the global `fetch`. */
  fetch?: typeof fetch;
}

/** The management API, typed. Make one with {@link createClient}. */
export type Client = ReturnType<typeof createClient>;

/**
 * Makes a client of the management API (`/v1`).
 *
 * Every method resolves to the answer's JSON and rejects with {@link ApiError}. Nothing is retried. Creating sends an
 * `Idempotency-Key` when `idempotencyKey` is given, so that the caller may repeat it safely.
 */
export function createClient(options: ClientOptions = {}) {
  const call = <T>(method: string, path: string, request: CallRequest = {}): Promise<T> =>
    send<T>(options, method, path, request);
  const at = (path: string, id: string, rest = ""): string =>
    `${path}/${encodeURIComponent(id)}${rest}`;

  return {
    /** Sets up the first owner and account with the secret of the set-up link; signs the browser in. */
    setUp: (body: {
      setup_secret: string;
      name: string;
      email: string;
      password: string;
      account: { name: string; slug?: string };
    }) => call<ProvisionedJson>("POST", "/v1/setup", { body }),
    /** Whether set-up is still to be done. */
    setUpState: () => call<{ state: "open" | "done" }>("GET", "/v1/setup"),
    signIn: (body: { email: string; password: string }) =>
      call<unknown>("POST", "/auth/sign-in/email", { body }),
    signOut: () => call<unknown>("POST", "/auth/sign-out", { body: {} }),
    me: () => call<MeJson>("GET", "/v1/me"),
    environments: {
      list: (page: { after?: string; before?: string; page_size?: number } = {}) =>
        call<Page<EnvironmentJson>>("GET", "/v1/environments", { query: page }),
      create: (body: { name: string; slug: string }, idempotencyKey?: string) =>
        call<EnvironmentJson>("POST", "/v1/environments", { body, idempotencyKey }),
      rename: (slug: string, body: { name: string }) =>
        call<EnvironmentJson>("PATCH", at("/v1/environments", slug), { body }),
      delete: (slug: string) =>
        call<{ revocation: RevocationJson }>("DELETE", at("/v1/environments", slug)),
    },
    apiKeys: {
      list: (filter: ApiKeyFilter) =>
        call<Page<ApiKeyJson>>("GET", "/v1/api_keys", { query: { ...filter } }),
      get: (id: string) => call<ApiKeyJson>("GET", at("/v1/api_keys", id)),
      create: (environment: string, body: NewApiKey, idempotencyKey?: string) =>
        call<ApiKeyJson>("POST", "/v1/api_keys", { query: { environment }, body, idempotencyKey }),
      update: (id: string, body: { description?: string; metadata?: Record<string, string> }) =>
        call<ApiKeyJson>("PATCH", at("/v1/api_keys", id), { body }),
      /** Resolves when no verifier anywhere accepts the key any more; with `wait: false` at once. */
      revoke: (id: string, body: { reason?: string } = {}, wait = true) =>
        call<ApiKeyJson>("POST", at("/v1/api_keys", id, "/revoke"), {
          body,
          query: wait ? {} : { wait: "false" },
        }),
    },
    /** For the operator's backend, with an operator token. */
    accounts: {
      list: (page: { after?: string; before?: string; page_size?: number } = {}) =>
        call<Page<AccountJson>>("GET", "/v1/accounts", { query: page }),
      create: (
        body: { name: string; slug: string; external_id?: string; owner_email?: string },
        idempotencyKey?: string,
      ) => call<ProvisionedJson>("POST", "/v1/accounts", { body, idempotencyKey }),
      update: (
        slug: string,
        body: { name?: string; external_id?: string | null; suspended?: boolean },
      ) => call<AccountJson>("PATCH", at("/v1/accounts", slug), { body }),
      delete: (slug: string) =>
        call<{ revocation: RevocationJson }>("DELETE", at("/v1/accounts", slug)),
    },
  };
}

/** An account as the operator sees it. */
export interface AccountJson {
  id: string;
  name: string;
  slug: string;
  external_id: string | null;
  created_at: string;
  suspended_at: string | null;
  /** The barrier of the suspension, while suspended. */
  revocation: RevocationJson | null;
}

interface CallRequest {
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  idempotencyKey?: string | undefined;
}

async function send<T>(
  options: ClientOptions,
  method: string,
  path: string,
  request: CallRequest,
): Promise<T> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (value !== undefined && value !== "") query.set(name, String(value));
  const search = query.size === 0 ? "" : `?${query}`;
  const headers: Record<string, string> = {};
  if (options.token !== undefined) headers.Authorization = `Bearer ${options.token}`;
  if (options.account !== undefined) headers["Latchkey-Account"] = options.account;
  if (request.idempotencyKey !== undefined) headers["Idempotency-Key"] = request.idempotencyKey;
  if (request.body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await (options.fetch ?? fetch)(`${options.url ?? ""}${path}${search}`, {
      method,
      headers,
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
  } catch (cause) {
    const message = "The server could not be reached.";
    throw Object.assign(new ApiError(0, { code: "unreachable", message }), { cause });
  }
  const text = await response.text();
  const body = parseJson(text);
  if (response.ok) return body as T;
  const seconds = Number(response.headers.get("Retry-After"));
  throw new ApiError(
    response.status,
    typeof body === "object" && body !== null ? body : {},
    Number.isFinite(seconds) && seconds > 0 ? seconds : undefined,
  );
}

/** An answer that is not JSON (a proxy's error page) reads as `undefined`; its status still tells. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
