import type pg from "pg";
import { clientsOf, prepareSession, type SessionSettings, within } from "./postgres-session.ts";
import { CHANGE_CHANNEL } from "./together.ts";

/** Pause before the first attempt to listen again; doubles up to the last. */
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 5_000;

/** Hears of changes sooner than by asking. Nothing may rely on it: see {@link createChangeListener}. */
export interface ChangeListener {
  /**
   * Calls `listener` soon after a change was committed anywhere, with its seq, and whenever some may have been missed,
   * with `null`.
   *
   * @returns Ends it.
   */
  onChange(listener: (seq: number | null) => void): () => void;
  close(): Promise<void>;
}

/**
 * LISTENs on a connection of its own from the first listener on, and connects again for ever. What is announced while
 * it is not connected is lost, and through a pooler in transaction mode nothing arrives at all.
 */
export function createChangeListener(settings: SessionSettings): ChangeListener {
  const Client = clientsOf(settings);
  const listeners = new Set<(seq: number | null) => void>();
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let retryMs = RETRY_FIRST_MS;
  let started = false;
  let closed = false;

  function announce(seq: number | null): void {
    for (const listener of listeners) listener(seq);
  }

  function connectLater(): void {
    if (closed) return;
    timer = setTimeout(connect, retryMs);
    timer.unref();
    retryMs = Math.min(retryMs * 2, RETRY_LAST_MS);
  }

  function connect(): void {
    const next = new Client();
    client = next;
    const listen = async (): Promise<void> => {
      await next.connect();
      await prepareSession(next, settings);
      await within(settings.deadlineMs, next.query(`listen ${CHANGE_CHANNEL}`));
    };
    next.on("error", () => {});
    next.on("notification", ({ payload = "" }) => {
      announce(/^\d{1,15}$/.test(payload) ? Number(payload) : null);
    });
    listen().then(
      () => {
        retryMs = RETRY_FIRST_MS;
        next.once("end", connectLater);
        announce(null);
      },
      () => {
        next.end().catch(() => {});
        connectLater();
      },
    );
  }

  return {
    onChange(listener) {
      listeners.add(listener);
      if (!started && !closed) {
        started = true;
        connect();
      }
      return () => {
        listeners.delete(listener);
      };
    },
    async close() {
      closed = true;
      listeners.clear();
      clearTimeout(timer);
      if (client !== undefined) await within(settings.deadlineMs, client.end()).catch(() => {});
    },
  };
}
