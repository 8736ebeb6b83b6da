import { expect, test } from "vitest";
import { eachAtMost } from "../../../dashboard/src/pool.ts";

test("no more than the limit are under way, each item is run once, and in order", async () => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = eachAtMost(2, [1, 2, 3, 4], (item) => {
    begun.push(item);
    return new Promise((resolve) => ends.push(resolve));
  });
  expect(begun).toEqual([1, 2]);
  ends[1]?.();
  await expect.poll(() => begun).toEqual([1, 2, 3]);
  ends[0]?.();
  await expect.poll(() => begun).toEqual([1, 2, 3, 4]);
  ends[2]?.();
  ends[3]?.();
  await all;
  expect(begun).toEqual([1, 2, 3, 4]);
});

test("nothing to do is done at once", async () => {
  await eachAtMost(5, [], () => Promise.reject(new Error("nobody asked")));
});
