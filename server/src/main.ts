import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hashPassword } from "better-auth/crypto";
import type { Logger } from "pino";
import { type Ambient, ambientOf } from "./ambient.ts";
import { explain } from "./cli/explain.ts";
import { buildProgram, runProgram } from "./cli/program.ts";
import { EXIT, type Terminal } from "./cli/terminal.ts";
import { setupRules } from "./domain/setup.ts";
import { tokenMaker } from "./domain/tokens.ts";
import { openLog } from "./log.ts";
import { openStore } from "./open-store.ts";

function realTerminal(ambient: Ambient): Terminal {
  return {
    env: process.env,
    ambient,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    onStopSignal(listener) {
      process.on("SIGINT", listener);
      process.on("SIGTERM", listener);
    },
    exit: (code) => process.exit(code),
  };
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const about: { version: string } = JSON.parse(text);
  return about.version;
}

/** The sign-in library reads variables of its own; our settings alone decide, so it finds none. */
function hideForeignSettings(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(env)) if (name.startsWith("BETTER_AUTH_")) delete env[name];
}

hideForeignSettings(process.env);
const ambient = ambientOf({
  nowMs: () => Date.now(),
  monoMs: () => performance.now(),
  randomBytes: (count) => randomBytes(count),
});
const terminal = realTerminal(ambient);
let serverLog: Logger | undefined;
const program = buildProgram(terminal, {
  version: version(),
  openLog(level) {
    serverLog = openLog(level, process.stderr);
    return serverLog;
  },
  // Loaded by the one command that serves; the others need not wait for it.
  startService: async (options) =>
    (await import("./service.ts")).startService({ ...options, version: version() }),
  async openSetup(settings) {
    const { store } = await openStore(settings, ambient);
    const makeToken = tokenMaker(randomBytes, settings.brand);
    return { store, rules: setupRules({ store, ambient, makeToken, hashPassword }) };
  },
});

// Whoever reads has stopped, as `head` does: that ends a command quietly, as the signal would, and no server.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (serverLog === undefined) process.exit(EXIT.unread);
  });
process.on("uncaughtException", (error) => {
  serverLog?.fatal({ err: error }, "an error that nothing caught");
  process.stderr.write(`latchkey: ${explain(error)}\n`);
  process.exit(EXIT.failed);
});
process.exitCode = await runProgram(program, process.argv, terminal);
