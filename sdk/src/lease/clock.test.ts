import { expect, test } from "vitest";
import { holderClock } from "./clock.ts";

function world() {
  const time = { mono: 500, wall: 1_800_000_000_000 };
  const clock = holderClock({ monoMs: () => time.mono, wallMs: () => time.wall });
  const pass = (monoMs: number, wallMs = monoMs): number => {
    time.mono += monoMs;
    time.wall += wallMs;
    return clock.read();
  };
  return { clock, pass, time };
}

test("elapsed time is that of the faster clock", () => {
  expect(world().pass(1_000, 1_005)).toBe(1_005);
  expect(world().pass(1_005, 1_000)).toBe(1_005);
});

test("readings a microsecond apart do not make time run faster", () => {
  const { time, clock } = world();
  let exact = time.wall;
  for (let i = 0; i < 3_000_000; i++) {
    time.mono += 0.001;
    exact += 0.001;
    time.wall = Math.floor(exact); // a wall clock ticks in whole milliseconds
    if (i % 3 === 0) clock.read();
  }
  expect(clock.read()).toBeGreaterThanOrEqual(2_999);
  expect(clock.read()).toBeLessThan(3_010);
});

test.each([
  ["the machine slept, and the monotonic clock stood still", 5, 30_000],
  ["the wall clock was set ahead", 1_000, 61_000],
  ["the wall clock was set back", 1_000, -59_000],
  ["the wall clock stood still", 5_000, 0],
])("every lease ends when %s", (_, monoMs, wallMs) => {
  expect(world().pass(monoMs, wallMs)).toBeGreaterThan(1e9);
});

test("rates that differ by 1 % end no lease", () => {
  const { pass } = world();
  for (let i = 0; i < 100; i++) expect(pass(3_300, 3_300 * 0.99)).toBeLessThan(1e9);
});

test("time never runs backwards", () => {
  const { pass } = world();
  let before = 0;
  for (const wallMs of [10, -5, 12, -15, 3, 0, 18]) {
    const now = pass(1, wallMs);
    expect(now).toBeGreaterThanOrEqual(before);
    before = now;
  }
});

test("a wall clock set back a little before a sleep hides no more than a little of it", () => {
  const { pass } = world();
  pass(100, 100);
  pass(1, -18); // too small to be told from jitter
  expect(pass(0, 10_000)).toBeGreaterThan(1e9);
});

test("being off the processor between the two readings ends no lease", () => {
  const time = { mono: 500, wall: 1_800_000_000_000, stallOnceMs: 0 };
  const clock = holderClock({
    monoMs: () => {
      const read = time.mono;
      time.mono += time.stallOnceMs;
      time.wall += time.stallOnceMs;
      time.stallOnceMs = 0;
      return read;
    },
    wallMs: () => time.wall,
  });
  time.stallOnceMs = 400;
  expect(clock.read()).toBe(400);
});
