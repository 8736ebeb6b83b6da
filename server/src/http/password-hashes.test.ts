import { expect, test } from "vitest";
import { passwordHashes } from "./password-hashes.ts";

test("of many passwords two are hashed at a moment, each in its turn, also after one that failed", async () => {
  const begun: string[] = [];
  const ends = new Map<string, { resolve(hash: string): void; reject(error: Error): void }>();
  const start = (name: string) =>
    new Promise<string>((resolve, reject) => {
      begun.push(name);
      ends.set(name, { resolve, reject });
    });
  const hashes = passwordHashes({
    hash: start,
    verify: async ({ password }) => (await start(password)) === "right",
  });
  const told = [
    hashes.hash("a"),
    hashes.verify({ hash: "", password: "b" }),
    hashes.hash("c"),
    hashes.hash("d"),
    hashes.verify({ hash: "", password: "e" }),
  ].map((each) => each.catch(String));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  await settle();
  expect(begun).toEqual(["a", "b"]);
  ends.get("a")?.reject(new Error("no memory"));
  await settle();
  expect(begun).toEqual(["a", "b", "c"]);
  ends.get("c")?.resolve("hash of c");
  ends.get("b")?.resolve("right");
  await settle();
  expect(begun).toEqual(["a", "b", "c", "d", "e"]);
  ends.get("d")?.resolve("hash of d");
  ends.get("e")?.resolve("wrong");
  expect(await Promise.all(told)).toEqual([
    "Error: no memory",
    true,
    "hash of c",
    "hash of d",
    false,
  ]);
  // Both places are free again.
  const later = [hashes.hash("f"), hashes.hash("g")];
  await settle();
  expect(begun.slice(5)).toEqual(["f", "g"]);
  for (const name of ["f", "g"]) ends.get(name)?.resolve(name);
  expect(await Promise.all(later)).toEqual(["f", "g"]);
});

test("of more passwords than can wait the last are refused at once, and nobody else is", async () => {
  let finish = (_hash: string): void => {};
  const held = new Promise<string>((resolve) => {
    finish = resolve;
  });
  const hashes = passwordHashes({ hash: () => held, verify: async () => true });
  const taken = Array.from({ length: 16 }, () => hashes.hash("a password"));
  for (const refused of [hashes.hash("one more"), hashes.verify({ hash: "", password: "" })])
    await expect(refused).rejects.toMatchObject({ code: "rate_limited", retryAfterSeconds: 1 });
  finish("done");
  expect(await Promise.all(taken)).toEqual(Array(16).fill("done"));
  expect(await hashes.hash("later")).toBe("done");
});

test("a password is right for its own hash alone", async () => {
  const { hash, verify } = passwordHashes();
  const kept = await hash("correct horse battery staple");
  expect(kept).not.toContain("horse");
  expect(await verify({ hash: kept, password: "correct horse battery staple" })).toBe(true);
  expect(await verify({ hash: kept, password: "correct horse battery stable" })).toBe(false);
});
