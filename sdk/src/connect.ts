import { Failure } from "./failure.ts";
import { createLookup } from "./lease/lookup.ts";
import { createUpstream } from "./lease/upstream.ts";
import { type ConnectOptions, parseOptions } from "./options.ts";
import { createRemote, type Remote } from "./remote.ts";
import { createReports } from "./reports.ts";
import { newRequestId, newSourceId } from "./request-id.ts";
import { createStates, type States, type VerifierState } from "./states.ts";
import { createTally } from "./tally.ts";
import { createVerifier, type Verify } from "./verifier.ts";
import { createWatch } from "./watch.ts";

/** Verifies API keys in this process: see {@link connectVerifier}. */
export interface ConnectedVerifier {
  /**
   * Verifies a token, or a whole `Authorization` header.
   *
   * @returns The verdict at once when the key is warm, else a promise of it.
   * @throws Failure `verification_unavailable`, as a rejection, when it cannot be decided. That is no refusal.
   */
  readonly verify: Verify;
  /**
   * Calls `callback` once when a key that was verified here is revoked, or its environment or account is gone: for
   * connections that outlive a request. Expiry is not told of. A verifier that was cut off tells when it is back.
   * What a callback throws becomes a warning of the process.
   *
   * @returns Ends the watch.
   * @throws Failure `resource_missing` when no such key was verified here lately.
   */
  onRevoked(keyId: string, callback: () => unknown): () => void;
  readonly state: VerifierState;
  /** Calls back at each change of the state. Returns its end. */
  onState(listener: (state: VerifierState) => unknown): () => void;
  /**
   * Reports what was counted, stops believing what is held, tells the server so and connects no more. Until then the open
   * connection keeps the process alive, as a database pool does. Never rejects; safe to call twice.
   */
  close(): Promise<void>;
}

/**
 * Connects a verifier to a Latchkey server. From then on keys are verified in this process, in about a microsecond once
 * warm, and a revocation still reaches it before the call that revoked returns.
 *
 * Tokens never leave the process, only their digests. It connects again by itself, for ever; while it is cut off it
 * decides by what it holds for what is left of its lease.
 *
 * @throws Failure `invalid_params` for wrong options, `invalid_token` when the server refuses the token,
 *   `verification_unavailable` when no server answers in time.
 * @see docs/sdk.md; docs/revocation.md
 */
export async function connectVerifier(options: ConnectOptions): Promise<ConnectedVerifier> {
  const { urls, token, connectTimeoutMs, keysMax } = parseOptions(options);
  const remote = await createRemote({ urls, token, random: Math.random });
  let connected = false;
  let closing: Promise<void> | null = null;
  const lookup = createLookup({
    clocks: { monoMs: () => performance.now(), wallMs: Date.now },
    async load(digests) {
      const loaded = await upstream.look(digests);
      watch.loaded(digests, loaded);
      return loaded;
    },
    soon,
    after,
    bounds: { keysMax },
  });
  const isClosed = (): boolean => closing !== null;
  const states = createStates({ after, lookup, connected: () => connected, closed: isClosed });
  const watch = createWatch({ lookup, after, keysMax });
  const tally = createTally();
  const { verify } = createVerifier({ lookup, tally, requestId: newRequestId });
  const source = newSourceId();
  const reports = createReports({
    drain: tally.drain,
    send: (batch, hurry) => upstream.report(source, batch, hurry),
    after,
  });
  const upstream = createUpstream({
    lookup,
    after,
    random: Math.random,
    open: remote.open,
    onChange: watch.changed,
    onStored: reports.stored,
    onSession(event) {
      connected = event !== "ended";
      if (event !== "began") return states.update();
      reports.resend();
      watch.checkAll(); // a lapse is told when no grant follows in time
    },
  });

  async function shut(): Promise<void> {
    watch.close();
    await reports.close();
    upstream.close();
    states.update();
  }

  function close(): Promise<void> {
    closing ??= shut();
    return closing;
  }

  await firstLease(states, remote, connectTimeoutMs).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    verify,
    onRevoked: watch.onRevoked,
    get state() {
      return states.now();
    },
    onState: states.listen,
    close,
  };
}

/** Resolves when the first lease runs. */
async function firstLease(states: States, remote: Remote, withinMs: number): Promise<void> {
  const undo: (() => void)[] = [];
  await new Promise<void>((resolve, reject) => {
    undo.push(states.listen((state) => state === "connected" && resolve()));
    undo.push(after(withinMs, () => reject(unreachable())));
    undo.push(remote.onRefused(() => reject(refused())));
  }).finally(() => {
    for (const step of undo) step();
  });
}

/** Runs `task` when the events at hand have been handled. */
function soon(task: () => void): void {
  if (typeof setImmediate === "function") setImmediate(task);
  else setTimeout(task, 0);
}

function after(ms: number, task: () => void): () => void {
  const timer = setTimeout(task, ms);
  return () => clearTimeout(timer);
}

function refused(): Failure {
  return new Failure("invalid_token", "The server does not accept this verifier token.");
}

function unreachable(): Failure {
  return new Failure("verification_unavailable", "No Latchkey server answered in time.", {
    retryAfterSeconds: 1,
  });
}
