import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FLAWS } from "./flaws.ts";

const text = readFileSync(new URL("../../../docs/revocation.md", import.meta.url), "utf8");

test("docs/revocation.md names every planted flaw with its rule, and none that is not planted", () => {
  const rules = text.slice(
    text.indexOf("## Why it holds"),
    text.indexOf("## What the answers mean"),
  );
  const quoted = [...rules.matchAll(/"([^"]+)"/g)].map(([, name]) => name?.replace(/\s+/g, " "));
  const directed = ["answers from the past are not used"];
  expect(quoted.filter((name) => !directed.includes(name ?? "")).sort()).toEqual(
    Object.keys(FLAWS).sort(),
  );
});
