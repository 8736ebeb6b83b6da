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

/** What deleting answers: that no key of it is accepted anywhere any more. */
export interface ReceiptJson {
  revocation: RevocationJson;
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
  /** The key that this one replaces, and the one that replaces it: ids. */
  rotated_from: string | null;
  rotated_to: string | null;
  /**
   * Of a key that was rotated: how long it is accepted beside its successor, and since when; `started_at: null` waits
   * for the first use of the successor. `expires_at` is the end, once there is one.
   */
  overlap: { seconds: number; started_at: string | null } | null;
}

/** What rotating answers: the successor with its token, this once, and the key that it replaces as that is now. */
export type RotatedApiKeyJson = IssuedApiKeyJson & { predecessor: ApiKeyJson };

/** A key as the answer that issued it shows it: with its token, this once. */
export type IssuedApiKeyJson = ApiKeyJson & { api_key: string };

/** An environment; the tokens are there only in the answer that created it. */
export interface EnvironmentJson {
  id: string;
  slug: string;
  name: string;
  created_at: string;
  public_key?: string;
  secret_key?: string;
}

/** An environment as the answer that created it shows it: with its first tokens, this once. */
export type NewEnvironmentJson = EnvironmentJson & { public_key: string; secret_key: string };

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

/** What setting up or provisioning an account answers, with every secret this once. */
export interface ProvisionedJson {
  account: { id: string; name: string; slug: string };
  environments: { id: string; slug: string; public_key: string; secret_key: string }[];
  service_token: string;
  verifier_token?: string;
  operator_token?: string;
  /** The owner had not proved their address: what they signed in with is gone, and a link lets them choose a password. */
  replaced_unproved_sign_in?: true;
}

/** An account that an earlier call with the same `idempotencyKey` has provisioned: without any token. */
export interface KnownAccountJson {
  account: { id: string; name: string; slug: string };
  environments: { id: string; slug: string }[];
}

/** An account as its own people see it. */
export interface OwnAccountJson {
  id: string;
  name: string;
  slug: string;
  created_at: string;
  /** The longest that an API key of the account may live, in days; `null`: as long as it is wanted. */
  api_key_max_age_days: number | null;
  /** Whether it is closed to whoever has no second factor. */
  require_two_factor: boolean;
}

/** A link that signs somebody in to one account, once, within 60 s. */
export interface SignInLinkJson {
  id: string;
  /** The secret is in its fragment; only this answer has it. */
  url: string;
  expires_at: string;
}

/** A link with which somebody chooses a new password, once, within 30 minutes. */
export interface ResetLinkJson {
  /** The secret is in its fragment; only this answer has it. */
  url: string;
  expires_at: string;
}

/** A role in an account, from most to least rights. */
export type Role = "owner" | "admin" | "member" | "support";

/** What a role may allow in an account; docs/roles.md has the table. */
export type AccountPermission =
  | "account:read"
  | "account:write"
  | "keys:read"
  | "keys:write"
  | "environments:read"
  | "environments:write"
  | "service_tokens:read"
  | "service_tokens:write"
  | "members:read"
  | "members:write"
  | "owners:write"
  | "audit_logs:read";

/** What a visitor may know before they sign in. */
export interface SetUpStateJson {
  /** Whether the first owner is still to come. */
  state: "open" | "done";
  /** Whether people make accounts of their own here, or are invited. */
  sign_up: "invite" | "open";
  /** Whether this server sends mail, e.g. to whoever forgot their password. */
  mail: boolean;
}

/** Who is signed in, and where they belong. */
export interface MeJson {
  person: {
    id: string;
    name: string;
    email: string;
    /** Whether they have a second factor. */
    two_factor: boolean;
    /** Whether a sign-in link began the session, which then reaches one account and nothing of the person's own. */
    confined: boolean;
  };
  /** Whether they run this installation, and so may create and delete its tokens. */
  operator: boolean;
  /** Who may make an account: whoever is invited, or anybody. */
  sign_up: "invite" | "open";
  accounts: {
    id: string;
    slug: string;
    name: string;
    role: Role;
    /** What the role allows, by the names of docs/roles.md. */
    permissions: AccountPermission[];
    /** Whether the account is closed to whoever has no second factor. */
    two_factor_required: boolean;
  }[];
}

/** What a credential is, said to whoever holds it. */
export type WhoamiJson =
  | {
      type: "api_key";
      account_id: string;
      account_name: string;
      account_slug: string;
      environment: string;
      environment_id: string;
      key_id: string;
      key_type: ApiKeyType;
      metadata: Record<string, string>;
      account_features: Record<string, never>;
    }
  | {
      type: "service_token";
      account_name: string;
      account_slug: string;
      service_token_name: string;
      account_features: Record<string, never>;
    };

/** A verdict over HTTP. A refusal is ready to be sent to the caller: its `status` is the status to send it with. */
export type VerdictJson =
  | {
      valid: true;
      account_id: string;
      account_slug: string;
      account_external_id: string | null;
      environment: string;
      environment_id: string;
      key_id: string;
      key_type: ApiKeyType;
      metadata: Record<string, string>;
    }
  | {
      valid: false;
      code: string;
      message: string;
      status: number;
      type: string;
      request_id: string;
    };

/** One page of a list, newest first. `after` fetches the next (older) page, `before` the previous one. */
export interface Page<T> {
  entries: T[];
  page_info: { after: string | null; before: string | null; page_size: number };
}

/** Which page of a list: one cursor at a time, and 50 entries unless `page_size` (1 to 200) says otherwise. */
export interface PageAsk {
  after?: string | undefined;
  before?: string | undefined;
  page_size?: number | undefined;
}
