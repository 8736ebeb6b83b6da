import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepSecret } from "./secret.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-secret-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("the secret is made once, for its owner alone, and read from then on", async () => {
  const data = join(folder, "data");
  const secret = await keepSecret(data, randomBytes);
  expect(secret).toMatch(/^[\w-]{43}$/);
  expect(await keepSecret(data, randomBytes)).toBe(secret);
  expect(statSync(join(data, "secret")).mode & 0o777).toBe(0o600);
  expect(readdirSync(data)).toEqual(["secret"]);
});

test("processes that start at once agree on one secret", async () => {
  const secrets = await Promise.all(
    Array.from({ length: 20 }, () => keepSecret(folder, randomBytes)),
  );
  expect(new Set(secrets).size).toBe(1);
  expect(readFileSync(join(folder, "secret"), "utf8").trim()).toBe(secrets[0]);
});

test("a damaged secret is an error that says what to do, never a new secret", async () => {
  writeFileSync(join(folder, "secret"), "short\n");
  await expect(keepSecret(folder, randomBytes)).rejects.toThrow(/restore it from a backup/);
  expect(readFileSync(join(folder, "secret"), "utf8")).toBe("short\n");
});
