import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { table } from "./table.ts";

const terminal = (columns: number) => Object.assign(new PassThrough(), { isTTY: true, columns });

test("columns stand below each other, whatever is in them", () => {
  expect(
    table([
      ["NAME", "ID"],
      ["東京", "1"],
      ["👩‍🚀", "2"],
      ["é", "3"],
    ]),
  ).toBe("NAME  ID\n東京  1\n👩‍🚀    2\né     3\n");
});

const ROWS = [
  ["ID", "DESCRIPTION"],
  ["key_0123456789", "a description that is far too long for a narrow terminal"],
];

test("long cells are cut at a terminal, and ids never", () => {
  const cut = table(ROWS, { to: terminal(40), cut: [1] });
  expect(cut.split("\n")[1]).toBe("key_0123456789  a description that is f…");
  expect(table(ROWS, { to: terminal(5), cut: [1] }).split("\n")[1]).toBe(
    "key_0123456789  a descr…",
  );
  expect(table([["東京東京東京東京"]], { to: terminal(8), cut: [0] })).toBe("東京東…\n");
});

test("a pipe gets all of them", () => {
  expect(table(ROWS, { to: new PassThrough(), cut: [1] })).toContain("for a narrow terminal");
});
