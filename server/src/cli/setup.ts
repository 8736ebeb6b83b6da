import type { ProvisionedJson } from "@latchkey/sdk/client";
import { Failure } from "@latchkey/sdk/core";
import { readSettings } from "../config.ts";
import { passwordProblem, SETUP_FIELDS, type SetupRules } from "../domain/setup.ts";
import { shapeFirstAccount } from "../http/setup.ts";
import type { Store } from "../store/store.ts";
import { explain } from "./explain.ts";
import { askPassword, readSecretLine } from "./password.ts";
import { CommandFailure, EXIT, type Terminal } from "./terminal.ts";

/** The options of `latchkey setup`, as commander gives them. */
export interface SetupOptions {
  readonly email: string;
  readonly name: string;
  readonly account: string;
  readonly slug?: string;
  readonly passwordStdin?: true;
  readonly json?: true;
}

/** The rules of set-up over an open store; `close` gives the store back. */
export interface OpenSetup {
  readonly rules: SetupRules;
  readonly store: Pick<Store, "close">;
}

/** Stands in for the password while the other fields are judged, before anybody is asked for one. */
const ANY_PASSWORD = "-".repeat(32);

/** Which option a wrong field came from. */
const OPTION_OF: Readonly<Record<string, string>> = {
  email: "--email",
  name: "--name",
  password: "the password",
  "account.name": "--account",
  "account.slug": "--slug",
};

/**
 * Sets up without a browser or a server: migrates, makes the first account, and prints its tokens, this once. With
 * `--json` exactly one JSON document goes to standard output; when it cannot be done, nothing does.
 *
 * @throws SettingsError, or CommandFailure with the line that says why.
 */
export async function setup(
  terminal: Terminal,
  options: SetupOptions,
  open: (settings: ReturnType<typeof readSettings>) => Promise<OpenSetup>,
): Promise<number> {
  const settings = readSettings(terminal.env);
  const fields = parseFields(options, ANY_PASSWORD);
  const opened = await open(settings).catch((cause: unknown) => {
    throw new CommandFailure(explain(cause, settings), { cause });
  });
  try {
    if (await opened.rules.isDone())
      throw new CommandFailure("Latchkey is set up already; nothing was changed.");
    const password = await (options.passwordStdin === true
      ? readSecretLine(terminal.stdin)
      : askPassword(terminal, passwordProblem));
    const complete = { ...fields, password: parseFields(options, password).password };
    const first = await opened.rules.complete(complete, null, (actor) => ({
      actor,
      atMs: terminal.ambient.nowMs(),
      eventId: terminal.ambient.sortableId("evt"),
      requestId: null,
      address: null,
      userAgent: null,
    }));
    const json = shapeFirstAccount(first);
    terminal.stdout.write(
      options.json === true ? `${JSON.stringify(json, null, 2)}\n` : forPeople(json, fields.email),
    );
    return EXIT.done;
  } catch (error) {
    throw inOptions(error);
  } finally {
    await opened.store.close();
  }
}

function parseFields(options: SetupOptions, password: string) {
  const parsed = SETUP_FIELDS.safeParse({
    name: options.name,
    email: options.email,
    password,
    account: {
      name: options.account,
      ...(options.slug === undefined ? {} : { slug: options.slug }),
    },
  });
  if (parsed.success) return parsed.data;
  throw wrongOptions(
    parsed.error.issues.map((issue) => ({ field: issue.path.join("."), message: issue.message })),
  );
}

/** A failure in the words of the command line: "--slug: …" instead of "account.slug: …". */
function inOptions(error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  if (error.errors.length > 0) return wrongOptions(error.errors);
  return new CommandFailure(error.detail, { cause: error });
}

function wrongOptions(errors: readonly { field: string; message: string }[]): CommandFailure {
  const lines = errors.map(({ field, message }) => `${OPTION_OF[field] ?? field}: ${message}`);
  return new CommandFailure(lines.join("\n"));
}

function forPeople(json: ProvisionedJson, email: string): string {
  const rows = [
    ["Account", `${json.account.name} (${json.account.slug})`],
    ["Owner", email],
    ...json.environments.flatMap((environment) => [
      [`${environment.slug}: public key`, environment.public_key],
      [`${environment.slug}: secret key`, environment.secret_key],
    ]),
    ["Service token", json.service_token],
    ["Verifier token", json.verifier_token ?? ""],
    ["Operator token", json.operator_token ?? ""],
  ];
  const width = Math.max(...rows.map(([label = ""]) => label.length));
  const table = rows.map(([label = "", value = ""]) => `  ${label.padEnd(width)}  ${value}`);
  return `Set up. These tokens are shown this once; keep them now.\n\n${table.join("\n")}\n\nStart the server with: latchkey serve\n`;
}
