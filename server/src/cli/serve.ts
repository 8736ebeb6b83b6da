import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import { readSettings, type Settings } from "../config.ts";
import type { SetupRules } from "../domain/setup.ts";
import { keepSecret } from "../secret.ts";
import { explain } from "./explain.ts";
import { CommandFailure, EXIT, type Terminal } from "./terminal.ts";

/** A server that accepts requests. */
export interface Service {
  /** Where it listens, e.g. `http://127.0.0.1:4400`. */
  readonly url: string;
  readonly setup: Pick<SetupRules, "openLink">;
  /** Stops accepting, finishes what runs, and gives the lease and the store back. */
  close(): Promise<void>;
}

export type StartService = (options: {
  settings: Settings;
  ambient: Ambient;
  logger: Logger;
}) => Promise<Service>;

/**
 * Serves until SIGINT or SIGTERM. Standard output tells people where; logs go to the log.
 *
 * @returns The exit code, when everything is closed.
 * @throws SettingsError, or CommandFailure with the one line that says why it cannot start.
 */
export async function serve(
  terminal: Terminal,
  openLog: (level: Settings["logLevel"]) => Logger,
  startService: StartService,
): Promise<number> {
  const given = readSettings(terminal.env);
  const logger = openLog(given.logLevel);
  const stopped = new Promise<void>((resolve) => {
    let signals = 0;
    terminal.onStopSignal(() => {
      signals += 1;
      // Whoever repeats it wants the process gone.
      if (signals > 1) terminal.exit(EXIT.interrupted);
      resolve();
    });
  });

  let service: Service;
  try {
    const secret =
      given.secret ?? (await keepSecret(given.dataFolder, terminal.ambient.randomBytes));
    const settings: Settings = { ...given, secret };
    service = await startService({ settings, ambient: terminal.ambient, logger });
  } catch (cause) {
    logger.debug({ err: cause }, "start failed");
    throw new CommandFailure(explain(cause, given), { cause });
  }

  const home = given.publicUrl ?? service.url;
  terminal.stdout.write(greeting(service.url, home, await service.setup.openLink()));
  await stopped;
  logger.info("stopping");
  await service.close();
  logger.info("stopped");
  return EXIT.done;
}

function greeting(url: string, home: string, setupSecret: string | null): string {
  const listening = `Latchkey listens on ${url}\n`;
  if (setupSecret === null) return `${listening}Dashboard: ${home}/\n`;
  return `${listening}
Not set up yet. Make the first account and its owner here, within 30 minutes:

  ${home}/setup#${setupSecret}

The link works once. After that time, restart for a new one.
`;
}
