import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { BASE62 } from "@latchkey/sdk/core";
import { hashPassword } from "better-auth/crypto";
import { customRandom } from "nanoid";
import { V7Generator } from "uuidv7";
import type { Ambient } from "./ambient.ts";
import { explain } from "./cli/explain.ts";
import { buildProgram, runProgram } from "./cli/program.ts";
import type { Terminal } from "./cli/terminal.ts";
import { setupRules } from "./domain/setup.ts";
import { tokenMaker } from "./domain/tokens.ts";
import { openLog } from "./log.ts";
import { openStore } from "./open-store.ts";
import { startService } from "./service.ts";

/** Characters of an unguessable id: 24 in base 62 are 142 bits. */
const RANDOM_ID_CHARACTERS = 24;

function realAmbient(): Ambient {
  const sortable = new V7Generator({ nextUint32: () => randomBytes(4).readUInt32BE() });
  const random = customRandom(BASE62, RANDOM_ID_CHARACTERS, randomBytes);
  return {
    nowMs: () => Date.now(),
    monoMs: () => performance.now(),
    randomBytes,
    sortableId: (prefix) => `${prefix}_${sortable.generateOrResetWithTs(Date.now()).toHex()}`,
    randomId: (prefix) => `${prefix}_${random()}`,
    soon: (task) => {
      setImmediate(task);
    },
    after(ms, task) {
      const timer = setTimeout(task, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}

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
const ambient = realAmbient();
const terminal = realTerminal(ambient);
const program = buildProgram(terminal, {
  version: version(),
  openLog: (level) => openLog(level, process.stderr),
  startService,
  async openSetup(settings) {
    const { store } = await openStore(settings, ambient);
    const makeToken = tokenMaker(randomBytes, settings.brand);
    return { store, rules: setupRules({ store, ambient, makeToken, hashPassword }) };
  },
});

process.on("uncaughtException", (error) => {
  process.stderr.write(`latchkey: ${explain(error)}\n`);
  process.exit(1);
});
process.exitCode = await runProgram(program, process.argv, terminal);
