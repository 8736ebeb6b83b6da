import type { z } from "@hono/zod-openapi";
import { Failure, type FieldError } from "@latchkey/sdk/core";

/** Wrong fields named in one answer, and the characters of a name that are repeated: a body may invent thousands. */
const ERRORS_MAX = 20;
const FIELD_CHARACTERS_MAX = 100;

/** @throws Failure `invalid_params`, naming every wrong field and no value. */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw invalidParams(parsed.error.issues.flatMap(fieldErrors));
}

/**
 * Parses a query string by a strict object schema.
 *
 * @throws Failure `invalid_request` for a percent-encoding that does not decode; `invalid_params` for a name that the
 *   route does not know or that comes twice, for which of the two counts would be anybody's guess.
 */
export function parseQuery<Schema extends z.ZodObject>(
  schema: Schema,
  search: string,
): z.output<Schema> {
  const query = new URLSearchParams(search);
  const errors: FieldError[] = [];
  for (const name of new Set(query.keys())) {
    if (!Object.hasOwn(schema.shape, name)) errors.push({ field: name, message: UNKNOWN_NAME });
    else if (query.getAll(name).length > 1)
      errors.push({ field: name, message: "Is given twice." });
  }
  if (errors.length > 0) throw invalidParams(errors);
  return parseWith(schema, Object.fromEntries(query));
}

/** @throws Failure `invalid_request` when a part of the address is not percent-encoded UTF-8 (RFC 3986, section 2.1). */
export function checkEncoding({ pathname, search }: URL): void {
  try {
    decodeURIComponent(pathname);
    decodeURIComponent(search);
  } catch {
    throw new Failure("invalid_request", "The address has a percent-encoding that is not UTF-8.");
  }
}

export function invalidParams(errors: readonly FieldError[]): Failure {
  return new Failure("invalid_params", "Some parameters are wrong.", {
    errors: errors.slice(0, ERRORS_MAX).map(({ field, message }) => ({
      field: field.slice(0, FIELD_CHARACTERS_MAX),
      message,
    })),
  });
}

const UNKNOWN_NAME = "Is not a parameter of this route.";

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ field: [...path, key].join("."), message: UNKNOWN_NAME }));
  return [{ field: path.join("."), message: issue.message }];
}
