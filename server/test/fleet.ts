import { type Client, createClient } from "@latchkey/sdk/client";
import type { Child, Ending } from "./child.ts";
import { startPostgres, type TestPostgres } from "./postgres.ts";
import {
  type FirstAccount,
  freePort,
  type RealServer,
  type ServerEnv,
  setUp,
  startServer,
  temporaryFolder,
} from "./real-server.ts";
import { openTcpLink, type TcpLink } from "./tcp-link.ts";

/** A process that a test torments, on the same port however often it is started again. */
export interface Restartable {
  readonly label: string;
  readonly url: string;
  /** SIGSTOP: it stands still, and its connections stay open. */
  pause(): void;
  resume(): void;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves when the process has ended by itself, or was killed for not doing so in 15 s. */
  terminate(): Promise<Ending>;
  /** Starts it again after {@link Restartable.kill} or {@link Restartable.terminate}; resolves when it is ready. */
  start(): Promise<void>;
}

/** One server of a fleet. */
export interface FleetNode extends Restartable {
  readonly leaseMs: number;
  /** Its only way to the database. */
  readonly link: TcpLink;
  /** The management API as this node serves it, with the service token of the first account. */
  readonly client: Client;
  /** The process that runs now, or that ran last. */
  server(): RealServer;
}

/** Several real servers on one real PostgreSQL. */
export interface Fleet {
  readonly postgres: TestPostgres;
  /** The name of the database that the nodes share. */
  readonly database: string;
  readonly first: FirstAccount;
  readonly nodes: readonly FleetNode[];
  /** Ends every process and closes every link, whatever state they are in. */
  stop(): Promise<void>;
}

const SECRET = "a secret of the tests, 32 characters or more";

/**
 * Sets one account up and starts a server for each lease named, each over a link of its own, all ready on return. What
 * was started ends if one of them fails; else {@link Fleet.stop} belongs in `afterAll`.
 *
 * @param options.leaseSeconds One number for each node.
 * @param options.env Variables that every node gets besides.
 */
export async function startFleet(options: {
  leaseSeconds: readonly number[];
  env?: ServerEnv;
}): Promise<Fleet> {
  const undo: Undo = [];
  const stop = (): Promise<void> => undoAll(undo);
  try {
    const folder = await temporaryFolder();
    undo.push(folder.remove);
    const postgres = await startPostgres();
    undo.push(postgres.stop);
    const database = await postgres.empty();
    const first = await setUp({
      dataFolder: folder.path,
      env: { DATABASE_URL: postgres.url(database), LATCHKEY_SECRET: SECRET },
    });
    const nodes = await Promise.all(
      options.leaseSeconds.map(async (leaseSeconds, index) => {
        const address = new URL(postgres.url(database));
        const link = await openTcpLink(Number(address.port));
        undo.push(link.close);
        address.port = String(link.port);
        const port = await freePort();
        const label = `node-${index + 1}`;
        const { process, ...node } = createRestartable(label, port, () =>
          startServer({
            dataFolder: folder.path,
            port,
            env: {
              DATABASE_URL: address.href,
              LATCHKEY_SECRET: SECRET,
              LATCHKEY_PUBLIC_URL: `http://127.0.0.1:${port}`,
              LATCHKEY_LEASE_SECONDS: String(leaseSeconds),
              LATCHKEY_NODE_NAME: label,
              LATCHKEY_LOG_LEVEL: "fatal",
              ...options.env,
            },
          }),
        );
        undo.push(node.end);
        const client = createClient({ url: node.url, token: first.service_token, retries: 0 }); // a test sees each answer
        return { ...node, leaseMs: leaseSeconds * 1_000, link, client, server: process };
      }),
    );
    await Promise.all(nodes.map((node) => node.start()));
    return { postgres, database, first, nodes, stop };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}

/** What is to be undone, in the order in which it was done. */
export type Undo = (() => Promise<unknown>)[];

/** Undoes everything, last first; what fails keeps nothing else from it. */
export async function undoAll(undo: Undo): Promise<void> {
  const failed: unknown[] = [];
  for (const step of undo.splice(0).reverse()) await step().catch((error) => failed.push(error));
  if (failed.length > 0) throw new AggregateError(failed, "not everything was cleaned up");
}

/**
 * Makes a process that can be started again; it is not started yet.
 *
 * @param launch Starts it on the port and resolves when it is ready.
 * @returns Also the process that runs now, or that ran last, and its end for good, whatever state it is in.
 */
export function createRestartable<P extends Child>(
  label: string,
  port: number,
  launch: () => Promise<P>,
): Restartable & { process(): P; end(): Promise<void> } {
  let isOver = false;
  let running: P | undefined;
  let starting: Promise<P> | undefined;
  const process = (): P => {
    if (running === undefined) throw new Error(`${label} was never started`);
    return running;
  };
  return {
    label,
    url: `http://127.0.0.1:${port}`,
    process,
    pause: () => process().signal("SIGSTOP"),
    resume: () => process().signal("SIGCONT"),
    async kill() {
      await process().end("SIGKILL");
    },
    terminate: () => process().end("SIGTERM"),
    async start() {
      if (isOver) throw new Error(`${label} was ended for good`);
      if (running !== undefined && !running.hasEnded()) throw new Error(`${label} runs already`);
      starting = launch();
      running = await starting;
    },
    async end() {
      isOver = true;
      await starting?.catch(() => {}); // one that is still starting ends too
      await running?.end("SIGKILL");
    },
  };
}
