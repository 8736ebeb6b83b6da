import type { Role } from "../store/store.ts";

/** What can be allowed to somebody inside one account. */
export type AccountPermission =
  | "keys:read"
  | "keys:write"
  | "environments:read"
  | "environments:write";

const EVERYTHING: readonly AccountPermission[] = [
  "keys:read",
  "keys:write",
  "environments:read",
  "environments:write",
];

/** The one table of roles. "keys:read" never includes a secret token: nobody can read those again. */
const ROLE_PERMISSIONS: Readonly<Record<Role, readonly AccountPermission[]>> = {
  owner: EVERYTHING,
  admin: EVERYTHING,
  member: ["keys:read", "environments:read"],
  support: ["environments:read"],
};

/** The role whose rights a service token has. */
export const SERVICE_TOKEN_ROLE: Role = "admin";

/** Whether somebody of this role may do that. */
export function roleMay(role: Role, permission: AccountPermission): boolean {
  return ROLE_PERMISSIONS[role].includes(permission);
}
