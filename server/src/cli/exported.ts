import { createReadStream } from "node:fs";
import { parseRecord, RECORD_CHARACTERS_MAX, type RestoreRecord } from "../store/restore-record.ts";
import { CommandFailure } from "./terminal.ts";

/** What `latchkey revocations export` wrote, every line of it understood. */
export interface Exported {
  readonly seqMax: number;
  /** Reads it again from the start. */
  read(): AsyncIterable<RestoreRecord>;
}

/**
 * Checks files of JSON lines to their end, and keeps nothing of them in memory.
 *
 * @throws CommandFailure that names the first line which is none of ours.
 */
export async function checkExported(paths: readonly string[]): Promise<Exported> {
  let seqMax = 0;
  for await (const { seq } of readFiles(paths)) seqMax = Math.max(seqMax, seq);
  return { seqMax, read: () => readFiles(paths) };
}

async function* readFiles(
  paths: readonly string[],
): AsyncGenerator<RestoreRecord, void, undefined> {
  for (const path of paths) {
    let number = 0;
    for await (const line of readLines(path)) {
      number += 1;
      if (line === "") continue;
      const record = parseRecord(line);
      if (record === undefined)
        throw new CommandFailure(
          `Line ${number} of ${path} was not written by \`latchkey revocations export\`. Nothing was restored.`,
        );
      yield record;
    }
  }
}

/** A line that is too long to be one of ours is given in a part, which is none. */
async function* readLines(path: string): AsyncGenerator<string, void, undefined> {
  let rest = "";
  for await (const chunk of createReadStream(path, "utf8")) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length > RECORD_CHARACTERS_MAX) break;
  }
  yield rest;
}
