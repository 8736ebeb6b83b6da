import { expect, test } from "vitest";
import { printable, printableJson, printableLines, shown } from "./printable.ts";

test.each([
  ["\u001b[31mred", "?[31mred"],
  ["\u009b31m", "?31m"],
  ["two\r\nlines\ttab", "two??lines?tab"],
  ["bell\u0007 null\u0000 delete\u007f", "bell? null? delete?"],
  ["turned \u202eround\u2066", "turned ?round?"],
  ["lines\u2028of\u2029another", "lines?of?another"],
  ["hid\u200bden\ufeff", "hid?den?"],
  ["half \ud800", "half ?"],
  ["München 東京 👩‍🚀", "München 東京 👩‍🚀"],
])("%j is shown as %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("lines keep their ends, and a return alone is none", () => {
  expect(printableLines("a\u001b[2J,b\r\nc\rd\n\u202ee\n")).toBe("a?[2J,b\r\nc?d\n?e\n");
});

test("a template keeps its own lines, and what is put into it gets none", () => {
  expect(shown`is \\${"a\nb\u001b"}\n${3}\n`).toBe("is \\a?b?\n3\n");
});

test("JSON means the same, and has nothing in it that a terminal obeys", () => {
  const value = { "\u009bm": ["\u202e\u007f\u001b", "\u{e0041}", "\ud800", "👩‍🚀 東京"] };
  const json = printableJson(value);
  expect(JSON.parse(json)).toEqual(value);
  expect(printableLines(json)).toBe(json);
  expect(json).toContain("👩‍🚀 東京");
});
