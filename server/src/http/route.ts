import { hash } from "node:crypto";
import type { z } from "@hono/zod-openapi";
import { Failure, type Refused } from "@latchkey/sdk/core";
import type { Ambient } from "../ambient.ts";
import type { Actor, Once, Origin } from "../store/store.ts";
import { type Body, readJsonBody } from "./body.ts";
import type { Caller, Callers } from "./callers.ts";
import type { HttpBindings } from "./front.ts";
import { parseQuery, parseWith } from "./parse.ts";
import type { Permission } from "./permit.ts";
import type { StreamedFile } from "./streamed-file.ts";

type Method = "get" | "post" | "patch" | "delete";
type OkStatus = 101 | 200 | 201 | 202;

/** One request as a handler sees it: authorized and parsed. */
interface Call<C extends Caller, Params, Query, RequestBody> {
  readonly caller: C;
  readonly params: Params;
  readonly query: Query;
  readonly body: RequestBody;
  /** The `Idempotency-Key`, on routes that take one. */
  readonly once: Once | null;
  readonly request: Request;
  readonly requestId: string;
  /** For the audit event of the change that this call makes. */
  origin(actor: Actor): Origin;
}

/** What a handler answers. `replayed`: an earlier call with the same `Idempotency-Key` did it. */
interface Answer<ResponseBody> {
  readonly status: OkStatus;
  readonly body: ResponseBody;
  readonly replayed?: boolean;
}

/** What a handler answers that was asked for a file. */
interface FileAnswer {
  readonly file: StreamedFile;
}

interface Definition<
  C extends Caller,
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  RequestBody extends z.ZodType,
  ResponseBody extends z.ZodType,
> {
  readonly method: Method;
  /** Parameters as `:name`. */
  readonly path: `/v1/${string}`;
  readonly summary: string;
  readonly permission: Permission<C>;
  /** What does not fit has never been given out: 404. */
  readonly params: Params;
  readonly query: Query;
  /** Read on every method but GET. */
  readonly body: RequestBody;
  readonly response: ResponseBody;
  /** Statuses it may answer with, for the documentation. */
  readonly statuses: readonly [OkStatus, ...OkStatus[]];
  /** Whether it takes an `Idempotency-Key`. */
  readonly once?: true;
  /** Media types of the files that it can also answer with, for the documentation. */
  readonly files?: readonly string[];
  readonly handle: (
    call: Call<C, z.output<Params>, z.output<Query>, z.output<RequestBody>>,
  ) => Promise<Answer<z.input<ResponseBody>> | FileAnswer | Refused>;
}

/** What answering needs besides the request. */
export interface RouteDeps {
  readonly callers: Callers;
  readonly ambient: Ambient;
}

/** A route as a value: what it asks, what it takes, what it answers, and how. */
export interface Route {
  readonly method: Method;
  readonly path: `/v1/${string}`;
  readonly summary: string;
  readonly schemes: Permission<Caller>["schemes"];
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: z.ZodType;
  readonly response: z.ZodType;
  readonly statuses: readonly OkStatus[];
  readonly once: boolean;
  readonly files: readonly string[];
  respond(
    deps: RouteDeps,
    request: Request,
    params: Readonly<Record<string, string>>,
    from: HttpBindings,
  ): Promise<Answer<unknown> | FileAnswer | Refused>;
}

/** The longest `User-Agent` that an audit event keeps, in characters. */
const USER_AGENT_CHARACTERS_MAX = 256;

/** Makes a route. The order is everywhere the same: authorize, parse, one domain call, shape the answer. */
export function route<
  C extends Caller,
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  RequestBody extends z.ZodType,
  ResponseBody extends z.ZodType,
>(definition: Definition<C, Params, Query, RequestBody, ResponseBody>): Route {
  const { permission, handle, once = false, files = [], ...described } = definition;
  return {
    ...described,
    schemes: permission.schemes,
    once,
    files,
    async respond({ callers, ambient }, request, rawParams, from) {
      const { requestId } = from;
      const grantedMs = ambient.monoMs();
      let caller = await permission.grant(callers, request, from);
      const params = definition.params.safeParse(rawParams);
      if (!params.success) throw new Failure("resource_missing", "There is no such resource.");
      const query = parseQuery(definition.query, new URL(request.url).search);
      const raw = request.method === "GET" ? NO_BODY : await readJsonBody(request);
      const body = parseWith(definition.body, raw.value);
      // The body took as long as the caller liked: whoever may not any more, may not.
      if (ambient.monoMs() - grantedMs > GRANT_MAX_MS)
        caller = await permission.grant(callers, request, from);
      return handle({
        caller,
        params: params.data,
        query,
        body,
        once: once ? onceOf(request, caller, raw) : null,
        request,
        requestId,
        origin: (actor) => originOf(ambient, from, actor),
      });
    },
  };
}

/** Where a change comes from that a request asks for. */
export function originOf(ambient: Ambient, from: HttpBindings, actor: Actor): Origin {
  return {
    actor,
    atMs: ambient.nowMs(),
    requestId: from.requestId,
    address: from.address,
    userAgent: from.userAgent?.slice(0, USER_AGENT_CHARACTERS_MAX) ?? null,
    eventId: ambient.sortableId("evt"),
  };
}

/** How old a permission may be when the deed is done, a quick body and the reading of the permission included. */
export const GRANT_MAX_MS = 100;

const NO_BODY: Body = { text: "", value: {} };

/** Visible ASCII, so that a key reads the same whatever a proxy thinks of encodings. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * @throws Failure `invalid_params`
 * @see draft-ietf-httpapi-idempotency-key-header; the query's order means nothing, so it is sorted first.
 */
function onceOf(request: Request, caller: Caller, body: Body): Once | null {
  const key = request.headers.get("Idempotency-Key");
  if (key === null) return null;
  if (!IDEMPOTENCY_KEY.test(key)) {
    const message = "Must be 1 to 255 visible ASCII characters.";
    throw new Failure("invalid_params", "Some parameters are wrong.", {
      errors: [{ field: "Idempotency-Key", message }],
    });
  }
  const { pathname, searchParams } = new URL(request.url);
  searchParams.sort();
  const parts = [caller.scope, request.method, pathname, searchParams.toString(), key];
  return {
    scope: hash("sha256", JSON.stringify(parts), "base64url"),
    bodyDigest: hash("sha256", body.text, "base64url"),
  };
}
