import { createRestartable, type Restartable, startFleet, type Undo, undoAll } from "../fleet.ts";
import type { TestPostgres } from "../postgres.ts";
import {
  type FirstAccount,
  freePort,
  type ServerEnv,
  setUp,
  startServer,
  temporaryFolder,
} from "../real-server.ts";
import type { TcpLink } from "../tcp-link.ts";
import { startApps } from "./apps.ts";

/** A process that verifies: a node, or an app below the nodes. */
export interface Place extends Restartable {
  /** The longest lease that it can hold. */
  readonly leaseMs: number;
  /** Its ways to what it learns from: a node's to the database, an app's to each node. SQLite needs none. */
  readonly links: readonly TcpLink[];
}

/** Everything that can be tormented. */
export interface Deployment {
  readonly first: FirstAccount;
  readonly nodes: readonly Place[];
  readonly apps: readonly Place[];
  /** `null` where the database lives in the node. */
  readonly restartDatabase: TestPostgres["restart"] | null;
  /** Ends every process and closes every link, whatever state they are in. */
  stop(): Promise<void>;
}

/** Nodes on one real PostgreSQL, and apps below them; everything is ready on return. */
export async function deployOnPostgres(options: {
  /** One number for each node. */
  leaseSeconds: readonly number[];
  /** Variables that every node gets besides. */
  nodeEnv?: ServerEnv;
  /** Variables of each app. */
  apps: readonly ServerEnv[];
}): Promise<Deployment> {
  const { leaseSeconds, nodeEnv = {}, apps } = options;
  return deployed(async (undo) => {
    const fleet = await startFleet({ leaseSeconds, env: nodeEnv });
    undo.push(fleet.stop);
    const nodes = fleet.nodes.map((node) => ({ ...node, links: [node.link] }));
    return { first: fleet.first, nodes, apps, restartDatabase: fleet.postgres.restart };
  });
}

/** One node on SQLite, and apps below it; everything is ready on return. */
export async function deployOnSqlite(options: {
  leaseSeconds: number;
  /** Variables of each app. */
  apps: readonly ServerEnv[];
}): Promise<Deployment> {
  const { leaseSeconds, apps } = options;
  return deployed(async (undo) => {
    const folder = await temporaryFolder();
    undo.push(folder.remove);
    const first = await setUp({ dataFolder: folder.path });
    const port = await freePort();
    const env = {
      LATCHKEY_LEASE_SECONDS: String(leaseSeconds),
      LATCHKEY_LOG_LEVEL: "fatal",
    };
    const node = createRestartable("node", port, () =>
      startServer({ dataFolder: folder.path, port, env }),
    );
    undo.push(node.end);
    await node.start();
    const nodes = [{ ...node, leaseMs: leaseSeconds * 1_000, links: [] }];
    return { first, nodes, apps, restartDatabase: null };
  });
}

/** Starts the apps below what `deploy` starts. What was started ends if anything fails. */
async function deployed(
  deploy: (
    undo: Undo,
  ) => Promise<Omit<Deployment, "apps" | "stop"> & { apps: readonly ServerEnv[] }>,
): Promise<Deployment> {
  const undo: Undo = [];
  try {
    const { apps: envs, ...above } = await deploy(undo);
    const { nodes, first } = above;
    const operatorToken = first.operator_token;
    const apps = await startApps({ nodes, operatorToken, envs }, undo);
    return { ...above, apps, stop: () => undoAll(undo) };
  } catch (error) {
    await undoAll(undo).catch(() => {});
    throw error;
  }
}
