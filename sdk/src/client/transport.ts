import { type Answer, createdIdOf, type Expected, FILE_TYPES, readAnswer } from "./answer.ts";
import { ApiError } from "./api-error.ts";
import { type ClientAmbient, openLimit } from "./limit.ts";

/** What every method takes last. */
export interface CallOptions {
  /** Gives the call up; it then rejects with the signal's reason. What was sent may have been done all the same. */
  signal?: AbortSignal | undefined;
  /** How long the call may take, all its tries together, in milliseconds. */
  timeoutMs?: number | undefined;
}

/**
 * What a method that creates takes last. A key of your own makes the creation one, across calls and processes, for 24
 * hours; without one the client makes one for the tries of this call.
 */
export type CreateOptions = CallOptions &
  ({ idempotencyKey: string } | { idempotencyKey?: undefined });

/** What a creation resolves to: with an `idempotencyKey` of one's own also what was there already, without tokens. */
export type Created<Made, Known, Options extends CreateOptions> = Options extends {
  idempotencyKey: string;
}
  ? (Made & { replayed: false }) | (Known & { replayed: true })
  : Made;

/** A call of the API, as its noun describes it. */
export interface Ask extends Expected {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Segments of the path; each is encoded, so that no id can lead elsewhere. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  /** Whether doing it twice is doing it once. GET and DELETE need not say so. */
  readonly repeatable?: boolean;
  /** Whether it may take its time: it answers only when every verifier has confirmed, or with very much. */
  readonly waits?: boolean;
}

/** How nouns reach the server. */
export interface Transport {
  /** Resolves to the body of the answer. */
  call<T>(ask: Ask, options: CallOptions | undefined): Promise<T>;
  /** Creates, once however often it is tried. @throws ApiError `token_lost` instead of losing a token silently. */
  create<Made, Known, Options extends CreateOptions>(
    ask: Omit<Ask, "method">,
    options: Options | undefined,
  ): Promise<Created<Made, Known, Options>>;
}

/** Options of the client, read and checked. */
export interface TransportSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly retries: number;
  readonly timeoutMs: number | undefined;
  readonly fetch: typeof fetch;
  readonly ambient: ClientAmbient;
}

/** How long a call may take: longer where it may have to wait out the longest lease, which is 60 s. */
const TIMEOUT_MS = 30_000;
const WAITING_TIMEOUT_MS = 90_000;

/** Pauses between tries: at most this, doubled each time, up to that. */
const PAUSE_MS = 200;
const PAUSE_MS_MAX = 5_000;

/** Statuses that pass. Not 500: what nobody foresaw is likely to happen again. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** Makes the one place that sends requests. */
export function createTransport(settings: TransportSettings): Transport {
  const { ambient } = settings;

  async function send(
    ask: Ask & { readonly idempotencyKey?: string },
    options: CallOptions,
  ): Promise<Answer> {
    options.signal?.throwIfAborted();
    const { url, ...init } = requestOf(settings, ask);
    const usualMs = ask.waits === true ? WAITING_TIMEOUT_MS : TIMEOUT_MS;
    const timeoutMs = options.timeoutMs ?? settings.timeoutMs ?? usualMs;
    const triesMax = mayRepeat(ask) ? 1 + settings.retries : 1;
    const limit = openLimit(ambient, timeoutMs, options.signal);
    try {
      for (let tries = 1; ; tries += 1) {
        const outcome = await attempt(url, { ...init, signal: limit.signal }, ask, tries);
        if (!(outcome instanceof ApiError)) return outcome;
        limit.check(outcome);
        const pauseMs = pauseAfter(outcome, ambient.random());
        if (tries >= triesMax || !passes(outcome) || pauseMs >= limit.leftMs()) throw outcome;
        await limit.pause(pauseMs, outcome);
      }
    } finally {
      limit.close();
    }
  }

  async function attempt(
    url: string,
    init: RequestInit,
    ask: Ask,
    tries: number,
  ): Promise<Answer | ApiError> {
    try {
      return await readAnswer(await settings.fetch(url, init), ask, tries, ambient.nowMs());
    } catch (cause) {
      const message = "The server could not be reached.";
      return new ApiError({ code: "unreachable", message, tries, cause });
    }
  }

  return {
    async call<T>(ask: Ask, options: CallOptions = {}) {
      return (await send(ask, options)).body as T; // what the server promises: its answers are not checked again
    },

    async create<Made, Known, Options extends CreateOptions>(
      ask: Omit<Ask, "method">,
      options: Options | undefined,
    ) {
      const given = options?.idempotencyKey;
      const idempotencyKey = given ?? ambient.randomId();
      const answer = await send({ ...ask, method: "POST", idempotencyKey }, options ?? {});
      const { body, replayed } = answer;
      if (given === undefined && replayed) throw tokenLost(answer);
      const made = given === undefined ? body : Object.assign({}, body, { replayed });
      return made as Created<Made, Known, Options>;
    },
  };
}

/**
 * What makes a repeat harmless: reading; deleting and what its noun declares; creating under a key. Not PATCH: one whose
 * answer is late would undo what somebody else has set meanwhile, e.g. a suspension.
 */
function mayRepeat(ask: Ask & { readonly idempotencyKey?: string }): boolean {
  const { method, repeatable = method === "GET" || method === "DELETE" } = ask;
  return repeatable || ask.idempotencyKey !== undefined;
}

const passes = ({ code, status }: ApiError): boolean =>
  code === "unreachable" || PASSING.has(status);

/** What the server asked for, and up to a doubling pause on top, so that those refused together do not come back so. */
function pauseAfter({ retryAfterSeconds = 0, tries }: ApiError, random: number): number {
  return retryAfterSeconds * 1_000 + random * Math.min(PAUSE_MS * 2 ** (tries - 1), PAUSE_MS_MAX);
}

/** @throws TypeError when a segment or a header is none; the caller's mistake, and no answer of the server. */
function requestOf(
  { url, headers: common }: TransportSettings,
  ask: Ask & { readonly idempotencyKey?: string },
): RequestInit & { url: string } {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(ask.query ?? {}))
    if (value !== undefined) query.set(name, String(value));
  const headers = new Headers({
    Accept: `${ask.as === undefined ? "" : `${FILE_TYPES[ask.as]}, `}application/json`,
    ...common,
  });
  if (ask.idempotencyKey !== undefined) headers.set("Idempotency-Key", ask.idempotencyKey);
  if (ask.body !== undefined) headers.set("Content-Type", "application/json");
  return {
    url: `${url}/${ask.path.map(encodeSegment).join("/")}${query.size === 0 ? "" : `?${query}`}`,
    method: ask.method,
    headers,
    redirect: "manual", // a token goes to the server alone
    ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
  };
}

function encodeSegment(segment: string): string {
  // Dots are steps in a path, also when they are encoded, and nothing is the list itself.
  if (["", ".", ".."].includes(segment)) throw new TypeError("An id or a slug is missing.");
  return encodeURIComponent(segment);
}

function tokenLost(answer: Answer): ApiError {
  const { status, requestId, tries } = answer;
  const createdId = createdIdOf(answer);
  const message = `${createdId ?? "It"} was created, but the answer with its token got lost on the way. Revoke or delete it and create another.`;
  return new ApiError({ status, code: "token_lost", message, requestId, tries, createdId });
}
