import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from "dependency-cruiser";
import { expect, test } from "vitest";
import { z } from "zod";

const root = new URL("..", import.meta.url).pathname;
const rooms = ["sdk/src", "server/src", "dashboard/src"];
const configuration = z
  .object({
    forbidden: z.array(z.record(z.string(), z.unknown())),
    options: z.record(z.string(), z.unknown()),
  })
  .parse(createRequire(import.meta.url)("../.dependency-cruiser.cjs"));

async function violations(baseDir: string): Promise<{ result: ICruiseResult; broken: string[] }> {
  const ruleSet: IFlattenedRuleSet = {
    forbidden: configuration.forbidden.map((rule) => ({
      ...rule,
      name: String(rule.name),
      from: {},
      to: {},
      ...rule,
    })),
  };
  const { output } = await cruise(rooms, {
    ...configuration.options,
    baseDir,
    validate: true,
    ruleSet,
  });
  if (typeof output === "string") throw new Error("dependency-cruiser answered text");
  const broken = output.summary.violations.map(
    ({ rule, from, to }) => `${rule.name}: ${from} → ${to}`,
  );
  return { result: output, broken };
}

test("nobody imports against the arrows", async () => {
  const { result, broken } = await violations(root);
  expect(broken).toEqual([]);
  // A cruise that reads nothing also finds nothing: it must have seen the rooms and the arrows between them.
  const imports = result.modules.flatMap((module) =>
    module.dependencies.map(({ resolved }) => `${module.source} → ${resolved}`),
  );
  for (const arrow of [
    "sdk/src/verifier.ts → sdk/src/judge.ts",
    "server/src/http/authenticate.ts → server/src/http/problem.ts",
    "server/src/domain/revocation/node.ts → server/src/store/store.ts",
  ])
    expect(imports).toContain(arrow);
  expect(imports.some((arrow) => /^server\/src\/.* → sdk\/(dist|src)\/core/.test(arrow))).toBe(
    true,
  );
  expect(imports.some((arrow) => /^dashboard\/src\/.* → sdk\/(dist|src)\/client/.test(arrow))).toBe(
    true,
  );
});

test("an import against the arrows is found, in each room", async () => {
  const planted = [
    ["sdk/src/planted.ts", "../../server/src/ambient.ts", "sdk-stands-alone"],
    ["dashboard/src/planted.ts", "../../sdk/src/token.ts", "dashboard-talks-through-the-client"],
    ["server/src/planted.ts", "../../sdk/src/judge.ts", "server-uses-the-sdk-by-name"],
    ["server/src/domain/planted.ts", "../http/problem.ts", "domain-knows-no-transport"],
    ["server/src/domain/planted2.ts", "../store/sqlite.ts", "the-store-is-asked-by-its-interface"],
    ["server/src/store/planted.ts", "../domain/tokens.ts", "store-knows-no-rules"],
    ["server/src/http/planted.ts", "../cli/serve.ts", "http-knows-no-command-line"],
    ["sdk/src/lease/planted.ts", "node:fs", "the-lease-protocol-does-no-io"],
    ["sdk/src/planted2.ts", "./missing.ts", "everything-resolves"],
  ] as const;
  const copy = mkdtempSync(join(tmpdir(), "latchkey-"));
  try {
    for (const room of rooms) cpSync(join(root, room), join(copy, room), { recursive: true });
    for (const name of ["node_modules", "tsconfig.base.json"])
      symlinkSync(join(root, name), join(copy, name));
    for (const [path, target] of planted) writeFileSync(join(copy, path), `import "${target}";\n`);
    const { broken } = await violations(copy);
    for (const [path, , name] of planted)
      expect(
        broken.filter((each) => each.startsWith(`${name}: ${path}`)),
        path,
      ).toHaveLength(1);
  } finally {
    rmSync(copy, { recursive: true });
  }
});

/** Sources of the server that change or delete entries of the audit log. */
function changersOfTheLog(baseDir: string): string[] {
  const sources = join(baseDir, "server/src");
  return readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((path) => {
    if (!path.endsWith(".ts") || path.includes("migrations")) return false;
    const text = readFileSync(join(sources, path), "utf8");
    return /(?:updateTable|deleteFrom|mergeInto|replaceInto)\(\s*["'`]audit_event|(?:update|delete\s+from|truncate)\s+(?:table\s+)?(?:main\.)?"?audit_event/i.test(
      text,
    );
  });
}

test("no source but retention's writes anything to the log but new entries", () => {
  expect(changersOfTheLog(root)).toEqual(["store/audit-retention.ts"]);
});

test("a source that changes the log is found, however it does", () => {
  const copy = mkdtempSync(join(tmpdir(), "latchkey-"));
  try {
    cpSync(join(root, "server/src"), join(copy, "server/src"), { recursive: true });
    const planted = [
      'db.updateTable("audit_event").set({ details });',
      "db.deleteFrom('audit_event').execute();",
      'db.mergeInto("audit_event");',
      'db.replaceInto("audit_event");',
      "sql`update audit_event set details = ''`;",
      'sql`DELETE FROM "audit_event"`;',
      "sql`truncate table audit_event`;",
    ];
    for (const [index, text] of planted.entries())
      writeFileSync(join(copy, "server/src/domain", `planted${index}.ts`), text);
    writeFileSync(join(copy, "server/src/domain/new-entry.ts"), 'db.insertInto("audit_event");');
    expect(changersOfTheLog(copy).sort()).toEqual([
      ...planted.map((_, index) => `domain/planted${index}.ts`),
      "store/audit-retention.ts",
    ]);
  } finally {
    rmSync(copy, { recursive: true });
  }
});
