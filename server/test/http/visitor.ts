import type { Heard } from "./world.ts";

/** Somebody in front of a browser, who keeps the cookies that they are given. */
export interface Visitor {
  /** Sends one request from a page of the server's own. `to` is method and path. */
  call(to: string, body?: object, headers?: Record<string, string>): Promise<Heard>;
  /** The same browser on another server of the same installation. */
  at(url: string): Visitor;
}

let visitors = 0;

/**
 * Comes to a server that really serves.
 *
 * Each comes from an address of their own, where the server believes the proxy that says so.
 *
 * @param account Slug that calls name; "": none.
 */
export function visit(
  url: string,
  account = "",
  cookies: Map<string, string> = new Map(),
): Visitor {
  visitors += 1;
  const address = `192.0.2.${visitors % 250}`;

  async function call(
    to: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Heard> {
    const [method = "GET", path = "/"] = to.split(" ");
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        "X-Forwarded-For": address,
        ...(method === "GET" ? {} : { Origin: url }),
        ...(account === "" ? {} : { "Latchkey-Account": account }),
        ...(cookie === "" ? {} : { Cookie: cookie }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
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
    at: (other) => visit(other, account, cookies),
  };
}
