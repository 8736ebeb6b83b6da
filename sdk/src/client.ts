import { ownAccountCalls } from "./client/account.ts";
import { accountCalls } from "./client/accounts.ts";
import { apiKeyCalls } from "./client/api-keys.ts";
import { accountAuditLogCalls, operatorAuditLogCalls } from "./client/audit-logs.ts";
import { environmentCalls } from "./client/environments.ts";
import { invitationCalls } from "./client/invitations.ts";
import type { ClientAmbient } from "./client/limit.ts";
import { memberCalls } from "./client/members.ts";
import { personCalls } from "./client/person.ts";
import { accountRefusalCalls, operatorRefusalCalls } from "./client/refusals.ts";
import { resetLinkCalls } from "./client/reset-links.ts";
import { serverUrl } from "./client/server-url.ts";
import { serviceTokenCalls } from "./client/service-tokens.ts";
import type { MeJson, ProvisionedJson, SetUpStateJson, WhoamiJson } from "./client/shapes.ts";
import { tokenCalls } from "./client/tokens.ts";
import { type CallOptions, createTransport, type TransportSettings } from "./client/transport.ts";
import { usageCalls } from "./client/usage.ts";

export type { OwnAccountEdit } from "./client/account.ts";
export type { AccountEdit, NewAccount, NewSignInLink } from "./client/accounts.ts";
export { ApiError } from "./client/api-error.ts";
export type {
  ApiKeyEdit,
  ApiKeyFilter,
  ApiKeySearch,
  NewApiKey,
  Rotation,
  VerifyAsk,
} from "./client/api-keys.ts";
export type {
  AuditLogFilter,
  AuditLogJson,
  AuditLogSearch,
  OperatorAuditLogSearch,
} from "./client/audit-logs.ts";
export type { InvitationJson } from "./client/invitations.ts";
export type { ClientAmbient } from "./client/limit.ts";
export type { MemberJson } from "./client/members.ts";
export type {
  AcceptedInvitationJson,
  OpenedInvitationJson,
  SessionJson,
  TwoFactorEnrolmentJson,
} from "./client/person.ts";
export type {
  KeyRefusalReason,
  RefusalFilter,
  RefusalJson,
  RefusalSearch,
  RefusedApiKeyJson,
  UnattributedRefusalReason,
  UnattributedRefusalSearch,
} from "./client/refusals.ts";
export type { NewResetLink } from "./client/reset-links.ts";
export type {
  NewServiceToken,
  NewServiceTokenJson,
  ServiceTokenJson,
} from "./client/service-tokens.ts";
export type * from "./client/shapes.ts";
export type { NewToken, NewTokenJson, TokenJson } from "./client/tokens.ts";
export type { CallOptions, Created, CreateOptions } from "./client/transport.ts";
export type {
  ApiKeyCallerJson,
  ApiKeyUsageJson,
  UsageEntryJson,
  UsageGranularity,
  UsageJson,
  UsageOutcome,
  UsageQuery,
  UsageRange,
  UsageTotalJson,
} from "./client/usage.ts";
export type { FieldError } from "./failure.ts";

/** How a client reaches the server, and as whom. */
export interface ClientOptions {
  /** Where the server is, e.g. `http://127.0.0.1:4400`; in a browser the page's own origin unless given. */
  url?: string | undefined;
  /** A service, operator or verifier token; without one, a browser's session cookie stands in. */
  token?: string | undefined;
  /** Slug of the account that a session acts for; a token has its own. */
  account?: string | undefined;
  /** How often a call that failed by something that passes is repeated, if that is harmless: 2 unless given, 0 to 10. */
  retries?: number | undefined;
  /** How long a call may take, all its tries together; 30 s unless given, 90 s for those that wait for verifiers. */
  timeoutMs?: number | undefined;
  /** What the audit log shows as the caller; the platform's own name unless given. */
  userAgent?: string | undefined;
  /** Used instead of the global `fetch`. */
  fetch?: typeof fetch | undefined;
  /** Time and chance, for tests that hold them. */
  ambient?: ClientAmbient | undefined;
}

/** The management API, typed. Make one with {@link createClient}. */
export type Client = ReturnType<typeof createClient>;

const RETRIES = 2;
const RETRIES_MAX = 10;

/**
 * Makes a client of the management API (`/v1`).
 *
 * Every method resolves to the JSON of the answer, and rejects with an {@link ApiError} or, when it was given up, with
 * the reason of the caller's signal. docs/sdk.md says what is tried again.
 *
 * @throws TypeError or RangeError when an option makes no sense, such as a token for an `http://` server elsewhere. No
 *   message repeats a token.
 */
export function createClient(options: ClientOptions = {}) {
  const transport = createTransport(settingsOf(options));
  const { call } = transport;

  return {
    environments: environmentCalls(transport),
    apiKeys: apiKeyCalls(transport),
    /** The account itself, and what its owner sets. */
    account: ownAccountCalls(transport),
    /** The people of the account. */
    members: memberCalls(transport),
    /** Who is to become a member. */
    invitations: invitationCalls(transport),
    /** The account's service tokens. */
    serviceTokens: serviceTokenCalls(transport),
    /** For the operator's backend, with an operator token. */
    accounts: accountCalls(transport),
    /** The operator's own verifier and operator tokens, with an operator token or the operator's session. */
    tokens: tokenCalls(transport),
    /** Links with which people choose a new password, with an operator token. */
    passwordResetLinks: resetLinkCalls(transport),
    /** Verifications by key, outcome, environment and time. */
    usage: usageCalls(transport),
    /** Refused requests, by the request id that their caller got. */
    refusals: accountRefusalCalls(transport),
    /** Refused requests that belong to no account, with an operator token or the operator's session. */
    operatorRefusals: operatorRefusalCalls(transport),
    /** Who changed what in the account, when and from where. */
    auditLogs: accountAuditLogCalls(transport),
    /** The same of what belongs to no account, with an operator token or the operator's session. */
    operatorAuditLogs: operatorAuditLogCalls(transport),
    /** What the token of this client is: a service token or an API key. */
    whoami: (options?: CallOptions) =>
      call<WhoamiJson>({ method: "GET", path: ["v1", "whoami"] }, options),
    /** Who is signed in, with a session. */
    me: (options?: CallOptions) => call<MeJson>({ method: "GET", path: ["v1", "me"] }, options),
    /** What whoever sits in front of a browser does about themselves, with a session or the secret of a link. */
    person: personCalls(transport),
    /** Whether set-up is still to be done, and how one gets a sign-in here. */
    setUpState: (options?: CallOptions) =>
      call<SetUpStateJson>({ method: "GET", path: ["v1", "setup"] }, options),
    /** Sets up the first owner and account with the secret of the set-up link; signs the browser in. */
    setUp: (
      body: {
        setup_secret: string;
        name: string;
        email: string;
        password: string;
        account: { name: string; slug?: string | undefined };
      },
      options?: CallOptions,
    ) => call<ProvisionedJson>({ method: "POST", path: ["v1", "setup"], body }, options),
    /** Signs the browser in to the dashboard; `two_factor`: not yet, a code is due. */
    signIn: (body: { email: string; password: string }, options?: CallOptions) =>
      call<{ two_factor?: true }>(
        { method: "POST", path: ["auth", "sign-in", "email"], body },
        options,
      ),
    signOut: (options?: CallOptions) =>
      call<unknown>({ method: "POST", path: ["auth", "sign-out"], body: {} }, options),
  };
}

function settingsOf(options: ClientOptions): TransportSettings {
  const { token, account, retries = RETRIES, timeoutMs, userAgent } = options;
  if (!Number.isInteger(retries) || retries < 0 || retries > RETRIES_MAX)
    throw new RangeError(`retries has to be a whole number from 0 to ${RETRIES_MAX}.`);
  // Said here, for the platform's own error would repeat the token.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new TypeError("token is empty, or holds a blank, a line break or another character.");
  return {
    url: serverUrl(options.url, { token: token !== undefined }),
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(account === undefined ? {} : { "Latchkey-Account": account }),
      ...(userAgent === undefined ? {} : { "User-Agent": userAgent }),
    },
    retries,
    timeoutMs,
    // Looked up at each call, and never called as a method: browsers refuse that.
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    ambient: options.ambient ?? AMBIENT,
  };
}

const AMBIENT: ClientAmbient = {
  nowMs: () => Date.now(),
  monoMs: () => performance.now(),
  random: () => Math.random(),
  randomId: () => crypto.randomUUID(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
};
