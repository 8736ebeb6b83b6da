import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type AccountPermission, PERMISSION_MEANINGS, roleMay } from "./permissions.ts";

const ROLES = ["owner", "admin", "member", "support"] as const;

test("docs/roles.md has every permission with the roles that have it, and no other", () => {
  const page = readFileSync(new URL("../../../docs/roles.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(\S+)` +\|(.+)\|$/gm)].map(([, permission, cells = ""]) => {
    const [meaning, ...may] = cells.split("|").map((cell) => cell.trim());
    return [permission, meaning, ...may];
  });
  const permissions = Object.keys(PERMISSION_MEANINGS) as AccountPermission[];
  expect(rows).toEqual(
    permissions.map((permission) => [
      permission,
      PERMISSION_MEANINGS[permission],
      ...ROLES.map((role) => (roleMay(role, permission) ? "yes" : "")),
    ]),
  );
});
