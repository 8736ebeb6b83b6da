import type { Heard } from "./world.ts";

/** How long an answer may take. */
const ANSWER_MAX_MS = 10_000;

/** Somebody in front of a browser, who keeps the cookies that they are given. */
export interface Visitor {
  /** Sends one request from a page of the server's own. `to` is method and path. */
  call(to: string, body?: object, headers?: Record<string, string>): Promise<Heard>;
  /** The same browser on another server of the same installation. */
  at(url: string): Visitor;
  /** The cookies that they hold now, as they send them. */
  cookie(): string;
}

let visitors = 0;

/**
 * Comes to a server that really serves.
 *
 * Each comes from an address of their own, where the server believes the proxy that says so.
 *
 * @param account Slug that calls name; "": none.
 * @param jar What they hold already.
 */
export function visit(url: string, account = "", jar = { cookie: "" }): Visitor {
  visitors += 1;
  const address = `10.${(visitors >> 16) & 255}.${(visitors >> 8) & 255}.${visitors & 255}`;

  async function call(
    to: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Heard> {
    const [method = "GET", path = "/"] = to.split(" ");
    const { cookie } = jar;
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: "manual",
      headers: {
        "X-Forwarded-For": address,
        ...(method === "GET" ? {} : { Origin: url }),
        ...(account === "" ? {} : { "Latchkey-Account": account }),
        ...(cookie === "" ? {} : { Cookie: cookie }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_MAX_MS),
    });
    jar.cookie = after(jar.cookie, response);
    const text = await response.text();
    const isJson = response.headers.get("Content-Type")?.includes("json") ?? false;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== "" ? JSON.parse(text) : null,
    };
  }

  return {
    call,
    at: (other) => visit(other, account, jar),
    cookie: () => jar.cookie,
  };
}

/** What a browser holds that sent these cookies and took those of the answer. */
export function after(cookie: string, { headers }: { headers: Headers }): string {
  const held = new Map(
    cookie
      .split("; ")
      .filter((pair) => pair !== "")
      .map((pair) => [pair.slice(0, pair.indexOf("=")), pair] as const),
  );
  for (const set of headers.getSetCookie()) {
    const pair = set.split(";")[0] ?? "";
    const name = pair.slice(0, pair.indexOf("="));
    if (set.includes("Max-Age=0")) held.delete(name);
    else held.set(name, pair);
  }
  return [...held.values()].join("; ");
}

/** What is behind the `#` of a link. */
export function secretOf(link: string | undefined): string {
  const secret = /#(\S+)/.exec(link ?? "")?.[1];
  if (secret === undefined) throw new Error("there is no link");
  return secret;
}
