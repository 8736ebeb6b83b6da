import type { Verify } from "@latchkey/sdk/core";
import type { Logger } from "pino";
import { listenForMetrics, type MetricsListener } from "./listener.ts";
import { createMetrics, type Metrics, type MetricsOptions } from "./metrics.ts";
import { timed } from "./timed.ts";

/** The metrics of a service; without a port they are off, and nothing is counted. */
export interface ServedMetrics {
  readonly onRevocation: Metrics["onRevocation"];
  /** The same verification, with what is told of it. */
  measured(verify: Verify): Verify;
  /** @throws SettingsError when the port cannot be listened on. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** @param options.port On loopback, 0 for a free one; `null` for no metrics. */
export function openMetrics(
  options: MetricsOptions & {
    readonly port: number | null;
    readonly logger: Logger;
    monoMs(): number;
  },
): ServedMetrics {
  const { port, logger } = options;
  if (port === null)
    return {
      onRevocation: () => {},
      measured: (verify) => verify,
      listen: async () => {},
      close: async () => {},
    };
  const metrics = createMetrics(options);
  let listener: MetricsListener | undefined;
  return {
    onRevocation: metrics.onRevocation,
    measured: (verify) => timed(verify, options.monoMs, metrics.onVerification),
    async listen() {
      listener = await listenForMetrics({ metrics, port, logger });
      logger.info({ url: listener.url }, "metrics");
    },
    close: async () => listener?.close(),
  };
}
