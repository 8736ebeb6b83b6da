import { digestToken, Failure } from "@latchkey/sdk/core";
import { z } from "zod";
import type { Ambient } from "../ambient.ts";
import type { Actor, Origin, Store } from "../store/store.ts";
import { draftAccessToken } from "./access-tokens.ts";
import { draftAccount, type Provisioned } from "./accounts.ts";
import { newLinkSecret } from "./link-secrets.ts";
import { UNSEEN, UNSEEN_MESSAGE } from "./names.ts";
import { isAccountSlug } from "./slugs.ts";
import type { MakeToken } from "./tokens.ts";

/** How long a set-up link lives. */
export const SETUP_LINK_MS = 30 * 60_000;

/** Characters of a password, as better-auth counts them. */
export const PASSWORD_MIN = 12;
export const PASSWORD_MAX = 128;

const SLUG_RULE =
  "Must be 1 to 40 of a-z, 0-9 and inner hyphens, and none of the dashboard's own paths.";

/** A name that people see: one line, 1 to 100 characters, not only blanks. */
const shownName = z
  .string()
  .trim()
  .refine((text) => !UNSEEN.test(text), UNSEEN_MESSAGE)
  .refine(
    (text) => text !== "" && text.length <= 200 && [...text].length <= 100,
    "Must have 1 to 100 characters.",
  );

/** What the first owner and account are made of, on the web and on the command line. */
export const SETUP_FIELDS = z.strictObject({
  name: shownName,
  email: z
    .string()
    .trim()
    .toLowerCase()
    .max(254, "At most 254 characters.")
    .pipe(z.email("Must be an e-mail address.")),
  password: z.string().superRefine((password, context) => {
    const problem = passwordProblem(password);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  }),
  account: z.strictObject({
    name: shownName,
    slug: z.string().refine(isAccountSlug, SLUG_RULE).optional(),
  }),
});

export type SetupFields = z.infer<typeof SETUP_FIELDS>;

/** Who sets up when no browser does. */
const COMMAND_LINE: Actor = { type: "command_line", id: "setup", name: "latchkey setup" };

/** Everything that set-up hands out, each secret for one answer only. */
export interface FirstAccount extends Provisioned {
  readonly verifierToken: string;
  readonly operatorToken: string;
}

/** The rules of set-up: once, by whoever holds the newest link or the machine itself. */
export interface SetupRules {
  isDone(): Promise<boolean>;
  /** Opens a new link, which ends the one before. Resolves to its secret, or to `null` when set-up is done. */
  openLink(): Promise<string | null>;
  /**
   * Makes the first account and its owner, and closes set-up for good.
   *
   * @param fields As {@link SETUP_FIELDS} parsed them.
   * @param linkSecret What the set-up link carries; `null` for the command line, which needs no link.
   * @param originOf Completes the change's origin with who did it: the new owner, or the command line.
   * @throws Failure `conflict` when set-up is done, `invalid_credentials` for a link that is unknown or expired,
   *   `invalid_params` when no slug can be made of the account's name.
   */
  complete(
    fields: SetupFields,
    linkSecret: string | null,
    originOf: (actor: Actor) => Origin,
  ): Promise<FirstAccount>;
}

/** @param deps `hashPassword` is better-auth's own, so that its sign-in can verify what set-up stores. */
export function setupRules(deps: {
  readonly store: Pick<Store, "isSetUp" | "openSetup" | "completeSetup">;
  readonly ambient: Ambient;
  readonly makeToken: MakeToken;
  readonly hashPassword: (password: string) => Promise<string>;
}): SetupRules {
  const { store, ambient, hashPassword } = deps;

  async function complete(
    fields: SetupFields,
    linkSecret: string | null,
    originOf: (actor: Actor) => Origin,
  ): Promise<FirstAccount> {
    const slug = fields.account.slug ?? slugOf(fields.account.name);
    // Before the password is hashed: a server that is set up must not be made to work.
    if (await store.isSetUp()) throw alreadySetUp();

    const owner = {
      id: ambient.sortableId("per"),
      name: fields.name,
      email: fields.email,
      passwordHash: await hashPassword(fields.password),
    };
    const draft = { name: fields.account.name, slug, externalId: null, owner };
    const { record, provisioned } = draftAccount(deps, draft);
    const verifier = draftAccessToken(deps, {
      kind: "verifier",
      accountId: null,
      name: "First verifier token",
    });
    const operator = draftAccessToken(deps, {
      kind: "operator",
      accountId: null,
      name: "First operator token",
    });
    const account = { ...record, tokens: [...record.tokens, verifier.record, operator.record] };
    const done = await store.completeSetup(
      account,
      linkSecret === null ? null : digestToken(linkSecret),
      originOf(
        linkSecret === null ? COMMAND_LINE : { type: "person", id: owner.id, name: owner.name },
      ),
    );
    switch (done.outcome) {
      case "created":
        return { ...provisioned, verifierToken: verifier.token, operatorToken: operator.token };
      case "already_set_up":
        throw alreadySetUp();
      case "link_unknown":
        throw new Failure(
          "invalid_credentials",
          "This set-up link is not valid. Use the newest one that the server printed.",
        );
      case "link_expired":
        throw new Failure(
          "invalid_credentials",
          "This set-up link has expired. Restart the server: it prints a new one.",
        );
      case "slug_taken":
        throw wrongSlug("This slug is taken, or was: slugs are never given out again.");
      case "person_exists":
        throw new Failure("conflict", "A person with this e-mail address exists.");
    }
  }

  return {
    isDone: () => store.isSetUp(),
    async openLink() {
      if (await store.isSetUp()) return null;
      const secret = newLinkSecret(ambient);
      await store.openSetup(digestToken(secret), ambient.nowMs() + SETUP_LINK_MS);
      return secret;
    },
    complete,
  };
}

/**
 * The one policy of passwords, held on the web, at a prompt and on standard input alike.
 *
 * @returns What is wrong with it, or `undefined`.
 * @see NIST SP 800-63B §5.1.1.2: length, and no rules about kinds of characters.
 */
export function passwordProblem(password: string): string | undefined {
  if (password.length < PASSWORD_MIN) return `Must have at least ${PASSWORD_MIN} characters.`;
  if (password.length > PASSWORD_MAX) return `Must have at most ${PASSWORD_MAX} characters.`;
  return undefined;
}

/** "Über Söhne GmbH" → "uber-sohne-gmbh". @throws Failure `invalid_params` when nothing usable is left. */
export function slugOf(name: string): string {
  const slug = name
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(/^-+|-+$/g, "");
  if (!isAccountSlug(slug))
    throw wrongSlug("No slug can be made of this name; choose one of a-z, 0-9 and inner hyphens.");
  return slug;
}

function wrongSlug(message: string): Failure {
  return new Failure("invalid_params", "Some parameters are wrong.", {
    errors: [{ field: "account.slug", message }],
  });
}

function alreadySetUp(): Failure {
  return new Failure("conflict", "Latchkey is set up already.");
}
