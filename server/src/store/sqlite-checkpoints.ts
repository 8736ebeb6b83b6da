import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

/** How often what was written is moved from the log into the database. */
const CHECKPOINT_EVERY_MS = 500;

/** Moves checkpoints of one SQLite file off the thread that serves. */
export interface Checkpoints {
  /** Never rejects: the log is there for whoever opens the database next. */
  end(): Promise<void>;
}

/**
 * Text and no file: a worker has no loader of TypeScript, and a build or bundle loses nothing. A checkpoint that fails,
 * e.g. because somebody reads, is made up for by the next, or by the thread that writes when the log has grown long.
 */
const WORKER = `
  const { parentPort, workerData } = require("node:worker_threads");
  const Database = require(workerData.driver);
  const database = new Database(workerData.path);
  database.pragma("synchronous = FULL");
  database.pragma("busy_timeout = 0");
  setInterval(() => {
    try {
      database.pragma("wal_checkpoint(passive)");
    } catch {}
  }, workerData.everyMs);
  parentPort.once("message", () => {
    database.close();
    process.exit();
  });`;

/**
 * Starts them. A checkpoint writes every page that changed once more, and waits for the disk: half of what storing costs,
 * and the thread that writes would do it inside some commit while everybody waits.
 *
 * @param path A database in WAL mode that this process holds.
 */
export function startCheckpoints(path: string): Checkpoints {
  const driver = createRequire(import.meta.url).resolve("better-sqlite3");
  const worker = new Worker(WORKER, {
    eval: true,
    workerData: { driver, path, everyMs: CHECKPOINT_EVERY_MS },
  });
  // Without it the writing thread checkpoints, as it would anyhow.
  worker.on("error", () => {});
  worker.unref();
  const ended = new Promise<void>((resolve) => {
    worker.once("exit", () => resolve());
  });
  return {
    end() {
      worker.ref();
      worker.postMessage("end");
      return ended;
    },
  };
}
