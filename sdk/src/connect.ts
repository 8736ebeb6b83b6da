import { Failure } from "./failure.ts";
import { createLookup } from "./lease/lookup.ts";
import { createUpstream } from "./lease/upstream.ts";
import { originsOf } from "./options.ts";
import { createRemote } from "./remote.ts";
import { createReports } from "./reports.ts";
import { newRequestId } from "./request-id.ts";
import { createStates, type VerifierState } from "./states.ts";
import { createVerifier, type Verify } from "./verifier.ts";
import { createWatch } from "./watch.ts";

export interface ConnectOptions {
  /** Where the Latchkey server is, e.g. `https://keys.example.com`. `http:` is refused off loopback. */
  readonly url?: string;
  /** Several nodes of one deployment, instead of `url`: whichever answers is used. */
  readonly urls?: readonly string[];
  /** A verifier token, `vt_…`. It is sent to the server and nowhere else. */
  readonly token: string;
  /** How long to wait for the first connection, ms; 10,000 unless given. */
  readonly connectTimeoutMs?: number;
  /** Keys held at most, up to 400 bytes each; 100,000 unless given. */
  readonly keysMax?: number;
}

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
   *
   * @returns Ends the watch.
   * @throws Failure `resource_missing` when no such key was verified here lately.
   */
  onRevoked(keyId: string, callback: () => void): () => void;
  readonly state: VerifierState;
  /** Calls back at each change of the state. Returns its end. */
  onState(listener: (state: VerifierState) => void): () => void;
  /** Stops believing what is held, tells the server so, reports the last uses and connects no more. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

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
  const { token, keysMax, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const urls = originsOf(options);
  const remote = await createRemote({ urls, token, random: Math.random });
  let connected = false;
  let closed = false;
  let couldNotOpen = (): void => {};
  const lookup = createLookup({
    clocks: { monoMs: () => performance.now(), wallMs: Date.now },
    async load(digests) {
      const loaded = await upstream.look(digests);
      watch.loaded(digests, loaded);
      return loaded;
    },
    soon,
    after,
    bounds: keysMax === undefined ? {} : { keysMax },
  });
  const states = createStates({ after, lookup, connected: () => connected, closed: () => closed });
  const watch = createWatch({ lookup, after });
  const verifier = createVerifier({ lookup, requestId: newRequestId });
  const reports = createReports({
    drain: verifier.drainUses,
    send: (batch, uses) => upstream.report(batch, uses),
    after,
  });
  const upstream = createUpstream({
    lookup,
    after,
    random: Math.random,
    open: ({ frame, closed }) =>
      remote.open({
        frame,
        closed() {
          closed();
          couldNotOpen();
        },
      }),
    onChange: watch.changed,
    onStored: reports.stored,
    onSession(event) {
      connected = event !== "ended";
      if (event === "began") {
        reports.resend();
        watch.checkAll();
      }
      states.update();
    },
  });

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    watch.close();
    await reports.close();
    upstream.close();
    states.update();
  }

  /** Resolves when the first lease runs. */
  async function firstLease(): Promise<void> {
    const refused = new Failure("invalid_token", "The server does not accept this verifier token.");
    await new Promise<void>((resolve, reject) => {
      states.listen((state) => state === "connected" && resolve());
      couldNotOpen = () => {
        remote.answersRefused().then((is) => is && reject(refused));
      };
      after(connectTimeoutMs, () => reject(unreachable()));
    }).finally(() => {
      couldNotOpen = () => {};
    });
  }

  try {
    await firstLease();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    verify: verifier.verify,
    onRevoked: watch.onRevoked,
    get state() {
      return states.now();
    },
    onState: states.listen,
    close,
  };
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

function unreachable(): Failure {
  return new Failure("verification_unavailable", "No Latchkey server answered in time.", {
    retryAfterSeconds: 1,
  });
}
