import type { AccountPermission } from "../domain/permissions.ts";
import type {
  AccountCaller,
  Caller,
  Callers,
  HolderCaller,
  OperatorCaller,
  PersonCaller,
  ServiceTokenCaller,
} from "./callers.ts";
import type { HttpBindings } from "./front.ts";

/** Ways to prove who one is, as the OpenAPI document names them. */
export const SECURITY_SCHEMES = {
  service_token: { type: "http", scheme: "bearer", description: "A service token, `st_…`." },
  operator_token: { type: "http", scheme: "bearer", description: "An operator token, `ot_…`." },
  verifier_token: { type: "http", scheme: "bearer", description: "A verifier token, `vt_…`." },
  api_key: { type: "http", scheme: "bearer", description: "An API key, `sk_…` or `pk_…`." },
  session: {
    type: "apiKey",
    in: "cookie",
    name: "latchkey.session_token",
    description: "A dashboard session; `Latchkey-Account: <slug>` names the account.",
  },
} as const;

/** What a route asks of whoever calls it. `grant` resolves to the caller or throws the Failure that they are told. */
export interface Permission<C extends Caller> {
  /** Any one of these will do. */
  readonly schemes: readonly (keyof typeof SECURITY_SCHEMES)[];
  grant(callers: Callers, request: Request, from: HttpBindings): Promise<C>;
}

/** Somebody of one account, by service token or session, whose role has this permission. */
export function inAccount(needs: AccountPermission): Permission<AccountCaller> {
  return {
    schemes: ["service_token", "session"],
    grant: (callers, request) => callers.inAccount(request, needs),
  };
}

/** A program of one account, by service token: people have other ways. */
export function asServiceToken(needs: AccountPermission): Permission<ServiceTokenCaller> {
  return {
    schemes: ["service_token"],
    grant: (callers, request) => callers.serviceToken(request, needs),
  };
}

export const asOperator: Permission<OperatorCaller> = {
  schemes: ["operator_token"],
  grant: (callers, request) => callers.operator(request),
};

/** The operator, also in person: by token, or by the session of a person who is the operator. */
export const asOperatorInPerson: Permission<OperatorCaller> = {
  schemes: ["operator_token", "session"],
  grant: (callers, request) => callers.operatorInPerson(request),
};

export const asVerifier: Permission<Caller> = {
  schemes: ["verifier_token"],
  grant: (callers, request) => callers.verifier(request),
};

export const signedIn: Permission<PersonCaller> = {
  schemes: ["session"],
  grant: (callers, request) => callers.signedIn(request),
};

/** Somebody signed in by themselves, and not by a sign-in link, which reaches one account alone. */
export const asThemselves: Permission<PersonCaller> = {
  schemes: ["session"],
  grant: (callers, request) => callers.themselves(request),
};

/** Whoever holds an API key or a service token, about itself. */
export const asHolder: Permission<HolderCaller> = {
  schemes: ["api_key", "service_token"],
  grant: (callers, request, from) => callers.holder(request, from),
};
