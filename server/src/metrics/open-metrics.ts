import type { Logger } from "pino";
import { listenForMetrics, type MetricsListener } from "./listener.ts";
import { createMetrics, type Metrics, type MetricsOptions } from "./metrics.ts";

/** The metrics of a service; without a port they are off, and nothing is counted. */
export interface ServedMetrics {
  readonly onRevocation: Metrics["onRevocation"];
  /** @throws SettingsError when the port cannot be listened on. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** @param options.port On loopback, 0 for a free one; `null` for no metrics. */
export function openMetrics(
  options: MetricsOptions & { readonly port: number | null; readonly logger: Logger },
): ServedMetrics {
  const { port, logger } = options;
  if (port === null)
    return { onRevocation: () => {}, listen: async () => {}, close: async () => {} };
  const metrics = createMetrics(options);
  let listener: MetricsListener | undefined;
  return {
    onRevocation: metrics.onRevocation,
    async listen() {
      listener = await listenForMetrics({ metrics, port, logger });
      logger.info({ url: listener.url }, "metrics");
    },
    close: async () => listener?.close(),
  };
}
