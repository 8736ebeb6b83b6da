import { z } from "@hono/zod-openapi";
import { UNSEEN, UNSEEN_MESSAGE } from "../domain/names.ts";
import { isAccountSlug, isEnvironmentSlug, SLUG_SHAPE } from "../domain/slugs.ts";
import type { PageAsk } from "../store/store.ts";
import { invalidParams } from "./parse.ts";

/** Parameters of a route that takes none. */
export const nothing = z.strictObject({});

/** Bytes of a key's metadata as JSON: it travels with every verdict. */
const METADATA_BYTES_MAX = 1024;
const METADATA_KEY_CHARACTERS_MAX = 64;

const PAGE_SIZE_MAX = 200;
const PAGE_SIZE_DEFAULT = 50;

/** The last millisecond whose ISO 8601 form has a year of four digits. */
const TIME_MS_MAX = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** One line of text; its length is counted in characters, as JSON Schema does, not in UTF-16 units. */
export function line(minCharacters: number, maxCharacters: number) {
  return z
    .string()
    .refine((text) => !UNSEEN.test(text), UNSEEN_MESSAGE)
    .refine(
      (text) => text.length <= maxCharacters * 2 && within([...text], minCharacters, maxCharacters),
      `Must have ${minCharacters} to ${maxCharacters} characters.`,
    )
    .openapi({ minLength: minCharacters, maxLength: maxCharacters });
}

function nameOf(maxCharacters: number) {
  return line(1, maxCharacters).refine((text) => text.trim() !== "", "Must not be blank.");
}

function within(characters: readonly string[], min: number, max: number): boolean {
  return characters.length >= min && characters.length <= max;
}

/** A name that people see: not only blanks. */
export const name = nameOf(100);

/** What people call an access token. */
export const tokenName = nameOf(64);

export const description = line(0, 256);

const slugDocumentation = { pattern: SLUG_SHAPE.source, example: "production" };

const SLUG_MESSAGE =
  "Must be 1 to 40 lower-case letters, digits and inner hyphens, and not a name that Latchkey keeps for itself.";

/** The slug of a new account. */
export const newAccountSlug = z
  .string()
  .refine(isAccountSlug, SLUG_MESSAGE)
  .openapi({ ...slugDocumentation, example: "acme" });

/** The slug of a new environment. */
export const newEnvironmentSlug = z
  .string()
  .refine(isEnvironmentSlug, SLUG_MESSAGE)
  .openapi(slugDocumentation);

/** The slug in a path. What has another shape was never given out, so it reads as "not there". */
export const slugInPath = z.strictObject({
  slug: z.string().regex(SLUG_SHAPE).openapi(slugDocumentation),
});

/** The id of a key. */
export const keyId = z
  .string()
  .regex(/^key_[0-9a-f]{32}$/, "Is not an id of an API key.")
  .openapi({ example: "key_0195f2c47d3e7a41b6c0a2d95e1f8b37" });

/** The id of a key in a path. */
export const keyIdInPath = z.strictObject({ id: keyId });

/** The id of an access token in a path. */
export const tokenIdInPath = z.strictObject({
  id: z
    .string()
    .regex(/^tok_[0-9a-f]{32}$/)
    .openapi({ example: "tok_0195f2c47d3e7a41b6c0a2d95e1f8b37" }),
});

/** The id of a person in a path, as a member of the account. */
export const memberIdInPath = z.strictObject({
  id: z
    .string()
    .regex(/^per_[0-9a-f]{32}$/)
    .openapi({ example: "per_0195f2c47d3e7a41b6c0a2d95e1f8b37" }),
});

/** The id of an invitation in a path. */
export const invitationIdInPath = z.strictObject({
  id: z
    .string()
    .regex(/^inv_[0-9a-f]{32}$/)
    .openapi({ example: "inv_0195f2c47d3e7a41b6c0a2d95e1f8b37" }),
});

/** The id of a person, or of a token, that made something. */
export const makerId = z
  .string()
  .regex(/^(?:per|tok)_[0-9a-f]{32}$/, "Is not an id of a person or a token.")
  .openapi({ example: "per_0195f2c47d3e7a41b6c0a2d95e1f8b37" });

/** What somebody may do in an account. */
export const role = z.enum(["owner", "admin", "member", "support"]);

/** An e-mail address, lower case. */
export const email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254, "At most 254 characters.")
  .pipe(z.email("Must be an e-mail address."))
  .openapi({ type: "string", format: "email", example: "ada@example.com" });

/** Whether to answer only when what was taken away is so everywhere. */
export const wait = z
  .enum(["true", "false"])
  .default("true")
  .openapi({ description: "`false`: answer 202 once it is stored, and go on by yourself." });

/** The environment that a request is about; one that does not exist is for the store to miss. */
export const environmentInQuery = line(1, 40).openapi({ example: "production" });

/**
 * Several values in one parameter, separated by commas; none when it is empty.
 *
 * @param noun What they are, for the message.
 */
export function listOf<Item extends z.ZodType<unknown, string>>(
  item: Item,
  maxItems: number,
  noun: string,
) {
  return z
    .string()
    .transform((text) => (text === "" ? [] : text.split(",", maxItems + 1)))
    .refine(
      (items) => items.length <= maxItems && new Set(items).size === items.length,
      `Must be up to ${maxItems} different ${noun}, separated by commas.`,
    )
    .pipe(z.array(item));
}

/** The operator's own name for a customer. */
export const externalId = line(1, 256);

/** ISO 8601 with an offset → Unix ms. That it lies in the future is judged later, by one clock reading. */
export const time = z.iso
  .datetime({ offset: true, error: "Must be an ISO 8601 date and time with an offset." })
  .max(40)
  .transform((text) => Date.parse(text))
  .refine((ms) => ms <= TIME_MS_MAX, "Must not lie after the year 9999.");

/** A time of the past or the future that is worth looking at → Unix ms. */
export const instant = time.refine((ms) => ms >= 0, "Must not lie before the year 1970.");

/** The longest overlap of a rotation: 30 days. */
const OVERLAP_SECONDS_MAX = 30 * 24 * 60 * 60;

/** How long a key that was rotated lives on beside its successor. */
export function overlapSeconds(min: 0 | 1) {
  const message = `Must be a whole number from ${min} to ${OVERLAP_SECONDS_MAX}.`;
  return z.int(message).min(min, message).max(OVERLAP_SECONDS_MAX, message);
}

/** A flat map of strings. The result has no prototype, so that no key of it can mean anything. */
export const metadata = z
  .record(z.string(), z.string("Must be a string."))
  .superRefine((map, context) => {
    for (const [key, value] of Object.entries(map)) {
      const keyIsFine = line(1, METADATA_KEY_CHARACTERS_MAX).safeParse(key).success;
      if (!keyIsFine)
        context.addIssue({
          code: "custom",
          path: [key],
          message: "Its name must have 1 to 64 characters.",
        });
      if (/[\0\p{Cs}]/u.test(value))
        context.addIssue({ code: "custom", path: [key], message: "Must be text without NUL." });
    }
    if (Buffer.byteLength(JSON.stringify(map)) > METADATA_BYTES_MAX)
      context.addIssue({
        code: "custom",
        message: `Must have at most ${METADATA_BYTES_MAX} bytes as JSON.`,
      });
  })
  .transform((map): Record<string, string> => Object.assign(Object.create(null), map))
  .openapi({
    type: "object",
    additionalProperties: { type: "string" },
    example: { team: "billing" },
  });

/** The request id of a refusal: ours have one shape, an app that verifies may have its own. */
export const requestId = z
  .string()
  .regex(/^[\x21-\x7e]{1,64}$/, "Is not a request id.")
  .openapi({ example: "req_7Jc0mQ2xkV4dRb9sYtHn3WfA" });

/** The query parameters of a list. @param cursor What its entries are known by. */
function pageQueryBy(cursor: z.ZodType<string, string>) {
  return {
    after: cursor.optional().openapi({ description: "Cursor of the next, older page." }),
    before: cursor.optional().openapi({ description: "Cursor of the previous, newer page." }),
    page_size: z
      .string()
      .regex(/^[1-9][0-9]{0,2}$/, `Must be a whole number from 1 to ${PAGE_SIZE_MAX}.`)
      .transform(Number)
      .refine((size) => size <= PAGE_SIZE_MAX, `Must be at most ${PAGE_SIZE_MAX}.`)
      .default(PAGE_SIZE_DEFAULT)
      .openapi({ type: "integer", minimum: 1, maximum: PAGE_SIZE_MAX, default: PAGE_SIZE_DEFAULT }),
  };
}

const id = z.string().regex(/^[a-z]{3}_[0-9a-f]{32}$/, "Is not a cursor of this list.");

/** The query parameters of every list of what we have made. */
export const pageQuery = pageQueryBy(id);

/** The query parameters of every list of requests. */
export const requestPageQuery = pageQueryBy(requestId);

/** A page as a query asks for it. @throws Failure `invalid_params` for both cursors: only one makes sense at a time. */
export function pageAsk(query: {
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly page_size: number;
}): PageAsk {
  const { after, before, page_size: size } = query;
  if (after !== undefined && before !== undefined)
    throw invalidParams([{ field: "before", message: "Cannot be given together with after." }]);
  return {
    size,
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
  };
}
