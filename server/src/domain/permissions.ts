import type { Role } from "../store/store.ts";

/** What can be allowed to somebody inside one account. */
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

const ADMIN: readonly AccountPermission[] = [
  "account:read",
  "keys:read",
  "keys:write",
  "environments:read",
  "environments:write",
  "service_tokens:read",
  "service_tokens:write",
  "members:read",
  "members:write",
  "audit_logs:read",
];

/** The one table of roles. "keys:read" never includes a secret token: nobody can read those again. */
const ROLE_PERMISSIONS: Readonly<Record<Role, readonly AccountPermission[]>> = {
  owner: [...ADMIN, "account:write", "owners:write"],
  admin: ADMIN,
  member: ["account:read", "keys:read", "environments:read", "members:read"],
  support: ["account:read", "environments:read", "members:read"],
};

/** Every permission in the words of docs/roles.md, which a test holds to this table. */
export const PERMISSION_MEANINGS: Readonly<Record<AccountPermission, string>> = {
  "account:read": "See the account itself",
  "account:write": "Change the account's own rules: the maximum age of keys, the second factor",
  "keys:read":
    "See API keys, how they are used and why requests were refused; never a secret token",
  "keys:write": "Create, edit, rotate and revoke API keys",
  "environments:read": "See environments",
  "environments:write": "Create, rename and delete environments",
  "service_tokens:read": "See service tokens; never a token itself",
  "service_tokens:write": "Create and delete service tokens",
  "members:read": "See members and open invitations",
  "members:write": "Invite people, change roles, remove members; owners excepted",
  "owners:write": "The same for owners, and make somebody an owner",
  "audit_logs:read": "Read and export the audit log",
};

/** The role whose rights a service token has. */
export const SERVICE_TOKEN_ROLE: Role = "admin";

/** Everything that somebody of this role may do. */
export function permissionsOf(role: Role): readonly AccountPermission[] {
  return ROLE_PERMISSIONS[role];
}

/** Whether somebody of this role may do that. */
export function roleMay(role: Role, permission: AccountPermission): boolean {
  return ROLE_PERMISSIONS[role].includes(permission);
}
