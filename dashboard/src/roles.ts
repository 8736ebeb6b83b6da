import type { Role } from "@latchkey/sdk/client";

/** What people call a role, and what it means for them in a line. docs/roles.md has the whole table. */
export const ROLES: Readonly<Record<Role, { name: string; text: string }>> = {
  owner: {
    name: "Owner",
    text: "Everything: also what holds for the whole account, and who owns it.",
  },
  admin: {
    name: "Admin",
    text: "Manages keys, environments, service tokens and people, but no owners.",
  },
  member: {
    name: "Member",
    text: "Sees keys, their use and the people, and changes nothing.",
  },
  support: {
    name: "Support",
    text: "Sees environments and people, and no keys.",
  },
};

/** "an Admin", in the middle of a sentence. */
export const asRole = (role: Role): string =>
  `${/^[aeo]/.test(role) ? "an" : "a"} ${ROLES[role].name}`;
