import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";

/**
 * What an operation is about; a revoke of an account or environment (with `null` below it) is about all within. `token` is
 * a service token: of a key the one that it was exchanged for, so that a deletion of the token is about the key too.
 */
const subject = z.strictObject({
  account: z.string(),
  environment: z.string().nullable(),
  key: z.string().nullable(),
  token: z.string().nullable(),
});

/** In every line. Times are milliseconds of the monotonic clock of the one process that writes the history. */
const line = {
  id: z.int().positive(),
  client: z.string(),
  node: z.string(),
  /** Read before the first byte left. */
  invokedMs: z.number(),
  /** Read after the whole answer was here, or when it was given up. */
  returnedMs: z.number(),
};

/** Of the answer; `null` when there was none, or not all of it: whether it was carried out is not known. */
const status = z.int().nullable();

/** How far the answer says that a revocation has come; `null` when it says nothing about it. */
const state = z.enum(["pending", "effective"]).nullable();

/** Whether it was decided at once, by what was held; `null` when that was not told. Apps tell. */
const held = z.boolean().nullable();

const entry = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("issue"), ...line, subject, status }),
  z.strictObject({ kind: z.literal("verify"), ...line, subject, status, held }),
  /** A management call with a service token, answered by what the store says at that moment. */
  z.strictObject({ kind: z.literal("use"), ...line, subject, status, call: z.string() }),
  z.strictObject({ kind: z.literal("revoke"), ...line, subject, status, wait: z.boolean(), state }),
  z.strictObject({ kind: z.literal("read"), ...line, subject, status, state }),
  z.strictObject({ kind: z.literal("fault"), ...line, fault: z.string() }),
  z.strictObject({ kind: z.literal("end"), entries: z.int() }),
]);

/** One line of a history. `end` is the last and counts the others, so that a torn file is not taken for a short run. */
export type Entry = z.infer<typeof entry>;

/** What an operation is about. */
export type Subject = z.infer<typeof subject>;

/** Something done and what came of it, as the one who does it tells it; the recorder adds the rest. */
type Deed = Exclude<Entry, { kind: "end" }>;
type WithoutTimes<T> = T extends unknown ? Omit<T, "id" | "invokedMs" | "returnedMs"> : never;

/** Writes a history, one JSON object a line, in the order in which operations return. */
export interface Recorder {
  readonly path: string;
  /** Does something, and writes down what it was, when it began and when it was over. What it throws is not caught. */
  record<T extends { entry: WithoutTimes<Deed> }>(deed: () => Promise<T>): Promise<T>;
  /** Waits for what is under way, writes the end, and resolves when everything is on disk. */
  close(): Promise<void>;
}

/** Starts a history in a folder. */
export function openRecorder(folder: string): Recorder {
  const path = join(folder, "history.jsonl");
  const file = createWriteStream(path);
  let entries = 0;
  let lastId = 0;
  const underWay = new Set<Promise<unknown>>();
  const write = (written: Entry): void => void file.write(`${JSON.stringify(written)}\n`);
  async function doAndWrite<T extends { entry: WithoutTimes<Deed> }>(
    deed: () => Promise<T>,
  ): Promise<T> {
    const id = ++lastId;
    const invokedMs = performance.now();
    const done = await deed();
    write({ ...done.entry, id, invokedMs, returnedMs: performance.now() });
    entries += 1;
    return done;
  }
  return {
    path,
    record(deed) {
      const doing = doAndWrite(deed);
      underWay.add(doing);
      return doing.finally(() => underWay.delete(doing));
    },
    async close() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
      write({ kind: "end", entries });
      file.end();
      await once(file, "close");
    },
  };
}

/**
 * Reads a history back.
 *
 * @throws Error that names the first line which is not an entry.
 */
export async function readHistory(path: string): Promise<Entry[]> {
  const history: Entry[] = [];
  for await (const text of createInterface({ input: createReadStream(path) })) {
    const number = history.length + 1;
    try {
      history.push(entry.parse(JSON.parse(text)));
    } catch (cause) {
      throw new Error(`line ${number} of ${path} is not an entry of a history`, { cause });
    }
  }
  return history;
}
