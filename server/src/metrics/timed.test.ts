import type { Verdict, Verify } from "@latchkey/sdk/core";
import { expect, test } from "vitest";
import { timed } from "./timed.ts";

const ASK = { types: ["secret"] } as const;
const CALLER = { address: "192.0.2.1", userAgent: null };

function world() {
  let nowMs = 0;
  const seconds: number[] = [];
  const asked: unknown[] = [];
  let answer: () => Verdict | Promise<Verdict> = () => {
    nowMs += 2;
    return {} as Verdict;
  };
  const verify: Verify = (...all) => {
    asked.push(all);
    return answer();
  };
  return {
    seconds,
    asked,
    verify: timed(
      verify,
      () => nowMs,
      (each) => void seconds.push(each),
    ),
    answers(next: () => Verdict | Promise<Verdict>): void {
      answer = next;
    },
    pass(ms: number): void {
      nowMs += ms;
    },
  };
}

test("the first verification and then one in 64 is timed; all are passed on whole", () => {
  const { verify, seconds, asked } = world();
  for (let at = 0; at < 129; at++) verify("sk_1", ASK, `req_${at}`, CALLER);
  expect(seconds).toEqual([0.002, 0.002, 0.002]);
  expect(asked).toHaveLength(129);
  expect(asked[77]).toEqual(["sk_1", ASK, "req_77", CALLER]);
});

test.each([
  ["resolves", (end: () => void) => end, 1],
  ["rejects", (_: () => void, fail: (error: Error) => void) => () => fail(new Error("away")), 1],
])("one that must ask is timed until its promise %s", async (_, choose, times) => {
  const { verify, seconds, answers, pass } = world();
  let end = (): void => {};
  answers(
    () =>
      new Promise((resolve, reject) => {
        end = choose(() => resolve({} as Verdict), reject);
      }),
  );
  const verdict = Promise.resolve(verify("sk_1", ASK)).catch(() => null);
  pass(30);
  expect(seconds).toEqual([]);
  end();
  await verdict;
  expect(seconds).toEqual(Array(times).fill(0.03));
});
