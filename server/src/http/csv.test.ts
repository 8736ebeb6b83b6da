import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { CSV_TYPE, csvLine } from "./csv.ts";
import { createFront } from "./front.ts";
import { fileResponse, openFile } from "./streamed-file.ts";

const TABLE = { name: "table.csv", contentType: CSV_TYPE };

const ambient = { soon: (task: () => void) => void setImmediate(task) };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Pieces that a test hands out and watches. */
function source(pieces: readonly (string | Error)[]) {
  const seen = { taken: 0, returned: false };
  async function* give(): AsyncGenerator<string, void, undefined> {
    try {
      for (const piece of pieces) {
        seen.taken += 1;
        if (piece instanceof Error) throw piece;
        yield piece;
      }
    } finally {
      seen.returned = true;
    }
  }
  return { seen, pieces: give() };
}

/** A server as the real one, whose every answer is this table. */
async function serve(pieces: AsyncGenerator<string, void, undefined>, failed = (_: unknown) => {}) {
  const front = createFront({
    authenticate: () => {
      throw new Error("not asked");
    },
    app: { fetch: async () => fileResponse(await openFile(TABLE, pieces, ambient, failed)) },
    verifiers: { upgrade: async () => {} },
    clientAddress: () => "192.0.2.7",
    requestId: () => "req_1",
  });
  const { port } = await front.listen("127.0.0.1", 0);
  closing.push(() => front.close());
  return port;
}

test("a line is cells between commas, quoted where it takes that", () => {
  expect(csvLine(["at", 'say "so"', "a,b", "a\r\nb", "", 7])).toBe(
    'at,"say ""so""","a,b","a\r\nb",,7\r\n',
  );
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "－1", "＋1", "＠A"])(
  "%j is text to a spreadsheet, no formula",
  (cell) => {
    const line = csvLine([cell]);
    expect(line.replace(/^"/, "").startsWith("'")).toBe(true);
    expect(line).toContain(cell);
  },
);

test("what only holds such a sign is left alone, and so is a number", () => {
  expect(csvLine(["a=b", "key_1", "'=1", "sk_…9fQ2", -1])).toBe("a=b,key_1,'=1,sk_…9fQ2,-1\r\n");
});

test("a table arrives whole, under the name of a file", async () => {
  const { pieces } = source(["a\r\n", "", "", "ß\r\n", "c\r\n", ""]);
  const response = await fetch(`http://127.0.0.1:${await serve(pieces)}/`);
  expect(response.headers.get("Content-Type")).toMatch(/^text\/csv; charset=utf-8/);
  expect(response.headers.get("Content-Disposition")).toBe('attachment; filename="table.csv"');
  expect(await response.text()).toBe("a\r\nß\r\nc\r\n");
});

test("nothing is read ahead of whoever takes it, but one piece", async () => {
  const { seen, pieces } = source(["a", "b", "c", "d", "e"]);
  const { body } = await openFile(TABLE, pieces, ambient, () => {});
  expect(seen.taken).toBe(1);
  const reader = body.getReader();
  await reader.read();
  expect(seen.taken).toBe(2);
  await reader.read();
  expect(seen.taken).toBe(3);
  await reader.cancel();
  expect(seen).toEqual({ taken: 3, returned: true });
});

test("whoever goes away in the middle ends the reading", async () => {
  async function* endless(): AsyncGenerator<string, void, undefined> {
    try {
      for (;;) yield "x".repeat(100_000);
    } finally {
      ended();
    }
  }
  let ended = (): void => {};
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const socket = connect(await serve(endless()), "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(socket, "data");
  socket.destroy();
  await over;
});

test("whoever goes away while a piece is read is no failure", async () => {
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let ended = (): void => {};
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  async function* slow(): AsyncGenerator<string, void, undefined> {
    try {
      yield "a";
      yield "";
      await answered;
      yield "b";
    } finally {
      ended();
    }
  }
  const told: unknown[] = [];
  const { body } = await openFile(TABLE, slow(), ambient, (error) => told.push(error));
  const reader = body.getReader();
  await reader.read();
  const reading = reader.read();
  await new Promise((resolve) => setImmediate(resolve));
  const cancelled = reader.cancel();
  answer();
  await Promise.all([reading, cancelled, over]);
  await new Promise((resolve) => setTimeout(resolve, 0)); // the turn that the reading gave to others
  expect(told).toEqual([]);
});

test("what fails before the first piece is an error of its own, not a table", async () => {
  const { pieces } = source([new Error("absent")]);
  await expect(openFile(TABLE, pieces, ambient, () => {})).rejects.toThrow("absent");
});

test.each([1, 2, 3])(
  "what fails after %i pieces cuts the table off, and is told once",
  async (n) => {
    const told: unknown[] = [];
    const broken = new Error("the database is gone: secret detail");
    const { pieces } = source([...Array(n).fill("line\r\n"), broken]);
    const port = await serve(pieces, (error) => told.push(error));
    const socket = connect(port, "127.0.0.1");
    socket.setEncoding("latin1");
    let heard = "";
    socket.on("data", (text: string) => {
      heard += text;
    });
    socket.on("error", () => {}); // a reset is one way to be cut off
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(socket, "close");
    expect(heard).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(heard).toMatch(/\r\nTransfer-Encoding: chunked\r\n/i);
    expect(heard).not.toContain("0\r\n\r\n"); // the last chunk
    expect(heard).not.toMatch(/secret|Error/);
    expect(told).toEqual([broken]);
    const whole = fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
    expect(await whole).toBe(""); // it still serves
  },
);
