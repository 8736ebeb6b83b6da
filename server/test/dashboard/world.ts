import { type Client, createClient } from "@latchkey/sdk/client";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { launchBrowser, watchPage } from "../browser.ts";
import {
  type FirstAccount,
  OWNER,
  type RealServer,
  type ServerEnv,
  setUp,
  startServer,
  temporaryFolder,
} from "../real-server.ts";

export const DESKTOP = { width: 1280, height: 800 } as const;
export const PHONE = { width: 375, height: 667 } as const;

/** A page with everything that a browser had to complain about on it. */
export interface Visit {
  readonly page: Page;
  readonly complaints: string[];
}

/** Pages of the shell, as its addresses name them. */
type ShellPage =
  | "observability/usage"
  | "observability/refusals"
  | "platform/api-keys"
  | `platform/api-keys/${string}`
  | "settings/general"
  | "settings/members"
  | "settings/environments"
  | "settings/service-tokens"
  | "settings/audit-log"
  | "operator/tokens"
  | "operator/refusals";

/** One server, one browser and the first account, shared by the tests of a file. */
export interface World {
  readonly server: RealServer;
  readonly browser: Browser;
  readonly first: FirstAccount;
  /** Acts for the account with its service token, past the browser. */
  readonly client: Client;
  /** Acts for the operator with the operator token, past the browser. */
  readonly operator: Client;
  /** A browser profile of its own in which the owner is signed in, unless `signedIn` is false. */
  profile(options?: BrowserContextOptions & { signedIn?: boolean }): Promise<BrowserContext>;
  /** A page in a profile of its own. */
  visit(options?: BrowserContextOptions & { signedIn?: boolean }): Promise<Visit>;
  /** Where a page of an environment is. */
  at(environment: string, page?: ShellPage): string;
  /** What verifying a key with this verifier token answers. */
  verifyWith(verifierToken: string): Promise<number>;
  /** What the hot route answers to a token. */
  authenticate(token: string): Promise<number>;
  /** Ends everything that was started. */
  end(): Promise<void>;
}

/** Starts a server that is set up, with these settings of its own, and a browser. */
export async function openWorld(env: ServerEnv = {}): Promise<World> {
  const folder = await temporaryFolder();
  const first = await setUp({ dataFolder: folder.path });
  const server = await startServer({ dataFolder: folder.path, env });
  const browser = await launchBrowser();
  const client = createClient({ url: server.url, token: first.service_token });
  const operator = createClient({ url: server.url, token: first.operator_token });
  const signedInState = await signIn(browser, server.url);

  const profile: World["profile"] = ({ signedIn = true, ...options } = {}) =>
    openProfile(browser, {
      baseURL: server.url,
      ...(signedIn ? { storageState: signedInState } : {}),
      ...options,
    });

  return {
    server,
    browser,
    first,
    client,
    operator,
    profile,
    visit: async (options) => openPage(await profile(options)),
    at: (environment, page = "platform/api-keys") => `/acme/${environment}/${page}`,
    async authenticate(token) {
      const { status } = await fetch(`${server.url}/v1/authenticate?type=any`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      return status;
    },
    async verifyWith(verifierToken) {
      const { status } = await fetch(`${server.url}/v1/api_keys/verify`, {
        method: "POST",
        headers: { Authorization: `Bearer ${verifierToken}`, "Content-Type": "application/json" },
        body: JSON.stringify({ api_key: first.environments[0]?.secret_key }),
      });
      return status;
    },
    async end() {
      await browser.close();
      await server.end();
      await folder.remove();
    },
  };
}

/** One sign-in for a whole file: they are counted, and a password takes its time. */
async function signIn(browser: Browser, url: string) {
  const context = await browser.newContext();
  const answer = await context.request.post(`${url}/auth/sign-in/email`, {
    data: { email: OWNER.email, password: OWNER.password },
    headers: { Origin: url },
  });
  if (!answer.ok()) throw new Error(`not signed in: ${answer.status()}`);
  const state = await context.storageState();
  await context.close();
  return state;
}

/** A browser profile: violations of the Content-Security-Policy turn into errors, which {@link openPage} collects. */
export async function openProfile(
  browser: Browser,
  options: BrowserContextOptions,
): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(10_000);
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      reportError(new Error(`policy: ${violatedDirective} refused ${blockedURI}`)),
    );
  });
  return context;
}

/** A page that is watched from its first byte. */
export async function openPage(context: BrowserContext): Promise<Visit> {
  const page = await context.newPage();
  return { page, ...watchPage(page) };
}
