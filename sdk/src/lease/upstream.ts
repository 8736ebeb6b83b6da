import { Failure } from "../failure.ts";
import type { UsageBatch } from "../usage.ts";
import { RATE_ALLOWANCE } from "./clock.ts";
import type { Downward, Upward } from "./frames.ts";
import type { Change, Loaded, Lookup } from "./lookup.ts";

/** One end of a connection that keeps frames in order and loses none while it is open. */
export interface Connection<Frame> {
  send(frame: Frame): void;
  /** Closes it once what was sent is on its way; what comes afterwards is not wanted. Safe to call twice. */
  close(): void;
}

export interface UpstreamOptions {
  readonly lookup: Lookup;
  /**
   * Opens a connection to some node. `closed` is called when it could not be made or has ended; neither is called
   * before this returns.
   */
  open(listener: { frame(frame: Downward): void; closed(): void }): Connection<Upward>;
  /** Runs `task` in `ms`; returns its cancellation. */
  after(ms: number, task: () => void): () => void;
  /** 0 up to 1: spreads those who come back at the same time. */
  random(): number;
  /** Longest pause between two attempts to connect, ms. */
  readonly retryMaxMs?: number;
  /** How long a connection may take to be made and welcomed, ms. */
  readonly welcomeMaxMs?: number;
  /** A session began, or ended, or a sub-lease was granted in it. */
  onSession?(event: "began" | "granted" | "ended"): void;
  /** A change was applied, and is about to be acknowledged. */
  onChange?(change: Pick<Change, "kind" | "subject">): void;
  /** A batch of usage is stored. */
  onStored?(number: number): void;
}

/** A verifier's way to the nodes: see {@link createUpstream}. */
export interface Upstream {
  /**
   * Asks the node for digests, or the next one when the session ends meanwhile: a node that stops is left without a
   * failure. @throws Failure `verification_unavailable` when the first attempt to connect again fails, and from then on.
   */
  look(digests: readonly string[]): Promise<readonly Loaded[]>;
  /** Sends a batch of usage, `source` being this process's random id; `false` without a session. */
  report(source: string, batch: UsageBatch, hurry: boolean): boolean;
  /** Stops believing at once, says so, and connects no more. */
  close(): void;
}

const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 1_000;
const WELCOME_MAX_MS = 2_000;

/**
 * The verifier's half of "below a node" (design §6): holds a sub-lease on one connection to one node, applies the
 * node's changes in order and acknowledges them, and connects again for ever.
 *
 * A new session starts with an empty cache: what was changed between two sessions nobody told. While it is without one
 * the verifier goes on for what is left of its sub-lease, which the node waits out.
 */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { lookup, after, random, onSession = () => {} } = options;
  const retryMaxMs = options.retryMaxMs ?? RETRY_MAX_MS;
  let session: Session | null = null;
  let connection: Connection<Upward> | null = null;
  let cancelRetry = (): void => {};
  let retryMs = RETRY_FIRST_MS;
  let closed = false;
  /** Looks between a session and the first attempt at the next; `null` when there is nothing to hope for. */
  let waiting: Look[] | null = null;

  function connect(): void {
    let over = false;
    const lose = (): void => {
      if (over) return;
      over = true;
      cancelWelcome();
      mine.close();
      if (connection === mine) disconnected();
    };
    const mine = options.open({
      frame(frame) {
        if (over || connection !== mine) return;
        if (frame.type === "welcome") {
          if (session !== null) return lose();
          cancelWelcome();
          begin(mine, frame.leaseMs, lose);
        } else if (session === null) lose();
        else session.receive(frame);
      },
      closed: lose,
    });
    connection = mine;
    const cancelWelcome = after(options.welcomeMaxMs ?? WELCOME_MAX_MS, lose);
  }

  function begin(on: Connection<Upward>, leaseMs: number, lose: () => void): void {
    retryMs = RETRY_FIRST_MS;
    lookup.drop();
    lookup.forget();
    session = createSession({ ...options, connection: on, leaseMs, lose });
    for (const look of waiting ?? []) session.look(look);
    waiting = null;
    onSession("began");
  }

  function giveUpWaiting(): void {
    for (const { reject } of waiting ?? []) reject(unavailable());
    waiting = null;
  }

  function disconnected(): void {
    connection = null;
    if (session !== null) {
      waiting = session.end();
      session = null;
      onSession("ended");
    } else giveUpWaiting();
    if (closed) return;
    cancelRetry = after(retryMs * (0.5 + random() / 2), connect);
    retryMs = Math.min(retryMs * 2, retryMaxMs);
  }

  connect();
  return {
    look(digests) {
      return new Promise((resolve, reject) => {
        const look = { digests, resolve, reject };
        if (session !== null) session.look(look);
        else if (waiting !== null) waiting.push(look);
        else reject(unavailable());
      });
    },
    report(source, batch, hurry) {
      if (session === null) return false;
      connection?.send({ type: "usage", source, hurry, batch });
      return true;
    },
    close() {
      closed = true;
      cancelRetry();
      const last = connection;
      connection = null;
      lookup.drop();
      lookup.forget();
      if (session !== null) {
        waiting = session.end();
        session = null;
        last?.send({ type: "release" });
        onSession("ended");
      }
      giveUpWaiting();
      last?.close();
    },
  };
}

interface Look {
  readonly digests: readonly string[];
  resolve(loaded: readonly Loaded[]): void;
  reject(failure: Failure): void;
}

interface Session {
  receive(frame: Exclude<Downward, { type: "welcome" }>): void;
  look(look: Look): void;
  /** Returns the looks that were not answered. */
  end(): Look[];
}

/** A connection on which an ask stays unanswered for this part of a lease is given up. */
const ANSWER_WITHIN = 1 / 2;

/** An ask is sent at least so many times in a lease, and in what was granted where that is shorter. */
const ASKS_A_LEASE = 4;

interface SessionOptions
  extends Pick<UpstreamOptions, "lookup" | "after" | "onSession" | "onChange" | "onStored"> {
  readonly connection: Connection<Upward>;
  readonly leaseMs: number;
  lose(): void;
}

function createSession(options: SessionOptions): Session {
  const { lookup, connection, leaseMs } = options;
  /** When each was about to be sent, by the holder's clock; oldest first. */
  const asks = new Map<number, number>();
  const looks = new Map<number, Look>();
  let asked = 0;
  let looked = 0;
  let cancelAsk = (): void => {};

  function ask(): void {
    asked += 1;
    asks.set(asked, lookup.clock.read());
    connection.send({ type: "ask", ask: asked });
  }

  function askIn(ms: number): void {
    cancelAsk();
    cancelAsk = options.after(ms, () => {
      const [oldest] = asks.values();
      if (oldest !== undefined && lookup.clock.read() - oldest > leaseMs * ANSWER_WITHIN)
        return options.lose();
      ask();
      askIn(ms);
    });
  }

  function granted(number: number, ms: number): void {
    const fromMs = asks.get(number);
    for (const each of asks.keys()) if (each <= number) asks.delete(each);
    if (fromMs === undefined) return;
    lookup.grant(fromMs, ms * (1 - RATE_ALLOWANCE));
    askIn(Math.min(leaseMs, ms) / ASKS_A_LEASE);
    options.onSession?.("granted");
  }

  function answered(number: number) {
    const look = looks.get(number);
    looks.delete(number);
    return look;
  }

  ask();
  askIn(leaseMs / ASKS_A_LEASE);
  return {
    receive(frame) {
      switch (frame.type) {
        case "change":
          lookup.apply(frame.change);
          options.onChange?.(frame.change);
          return connection.send({ type: "ack", seq: frame.change.seq });
        case "renewed":
          return ask();
        case "grant":
          return granted(frame.ask, frame.ms);
        case "found":
          return answered(frame.look)?.resolve(frame.loaded);
        case "unavailable":
          return answered(frame.look)?.reject(unavailable());
        case "stored":
          return options.onStored?.(frame.batch);
        case "leaving":
          lookup.drop();
          lookup.forget();
          connection.send({ type: "release" });
          return options.lose();
      }
    },
    look(look) {
      looked += 1;
      looks.set(looked, look);
      connection.send({ type: "look", look: looked, digests: look.digests });
    },
    end() {
      cancelAsk();
      return [...looks.values()];
    },
  };
}

function unavailable(): Failure {
  return new Failure("verification_unavailable", "The Latchkey server cannot be asked right now.", {
    retryAfterSeconds: 1,
  });
}
