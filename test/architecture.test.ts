import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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
