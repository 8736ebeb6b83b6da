import { PassThrough } from "node:stream";
import { buildProgram, runProgram } from "../src/cli/program.ts";
import { realAmbient } from "./service.ts";

/** Where a command runs: off a terminal unless there is an answer that somebody gives at one. */
export interface Seat {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** What is typed at a terminal. */
  readonly answer?: string;
  /** How wide the terminal is that standard output goes to. */
  readonly columns?: number;
}

/** Runs a command in this process to its end. */
export async function latchkey(args: readonly string[], seat: Seat = {}) {
  const said = { stdout: "", stderr: "" };
  const hear = (name: keyof typeof said) =>
    new PassThrough().on("data", (chunk) => {
      said[name] += String(chunk);
    });
  const { env = {}, input = "", answer, columns } = seat;
  const stdin = Object.assign(new PassThrough(), { isTTY: answer !== undefined });
  stdin.end(answer ?? input);
  const terminal = {
    env,
    ambient: realAmbient(),
    stdin,
    stdout: Object.assign(hear("stdout"), columns === undefined ? {} : { isTTY: true, columns }),
    stderr: hear("stderr"),
    onStopSignal: () => {},
    exit: () => {},
  };
  const never = (): never => {
    throw new Error("no server is started");
  };
  const deps = { version: "0", openLog: never, startService: never, openSetup: never };
  const program = buildProgram(terminal, deps);
  const code = await runProgram(program, ["node", "latchkey", ...args], terminal);
  return { code, ...said };
}
