import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

/** How a process ended: `code` when it exited by itself, else the signal that ended it. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that a test started. Every one is ended, at the latest when the test run exits. */
export interface Child {
  readonly pid: number;
  /** Everything written so far to standard output, and to standard error. */
  stdout(): string;
  stderr(): string;
  /** Sends a signal to this very process, e.g. SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ending>;
  /** Whether it has ended. */
  hasEnded(): boolean;
  /** Asks it to end and waits; after `withinMs` it is killed. Safe to call twice. */
  end(signal?: NodeJS.Signals, withinMs?: number): Promise<Ending>;
}

/** How long a process may take to end when asked to. */
const END_WITHIN_MS = 15_000;

/** Starts a process with its output kept; its standard input holds `input` and nothing more. */
export function startChild(
  command: string,
  args: readonly string[],
  options: SpawnOptions & { input?: string } = {},
): Child {
  const { input = "", ...spawnOptions } = options;
  const child = spawn(command, [...args], { ...spawnOptions, stdio: "pipe" });
  const output = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  child.stdin?.on("error", () => {}); // it may end without reading
  child.stdin?.end(input);
  const ended = endingOf(child);
  const atExit = (): void => {
    // Not SIGKILL: a master process would leave its workers behind.
    child.kill("SIGCONT");
    child.kill("SIGTERM");
  };
  process.once("exit", atExit);
  void ended.then(() => process.off("exit", atExit)).catch(() => process.off("exit", atExit));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid ?? 0,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    signal: (signal) => void child.kill(signal),
    ended,
    hasEnded,
    async end(signal = "SIGTERM", withinMs = END_WITHIN_MS) {
      if (!hasEnded()) {
        child.kill(signal);
        child.kill("SIGCONT"); // a paused process handles no other signal
      }
      const force = setTimeout(() => child.kill("SIGKILL"), withinMs);
      return ended.finally(() => clearTimeout(force));
    },
  };
}

function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve, reject) => {
    child.once("error", reject); // there is no such program
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

/**
 * Asks again and again until the answer is not `undefined`.
 *
 * @param what Completes "gave up waiting for …".
 * @param ask What it throws counts as `undefined`; the last error is the cause of giving up.
 */
export async function waitFor<T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
  { withinMs = 10_000, everyMs = 20 } = {},
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (let cause: unknown; ; await delay(everyMs)) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`gave up waiting for ${what}`, { cause });
  }
}
