import type { AuditLogJson } from "@latchkey/sdk/client";

/** A piece of a sentence: words, a name that stands out, or a key, which leads to its page. */
export type Part =
  | string
  | { name: string }
  | { key: { id: string; hint: string; description: string } };

/** Actions to look for, by what they are done to: each as the API takes it, and in words. */
export const ACTION_GROUPS: readonly {
  group: string;
  all: string;
  items: readonly (readonly [action: string, words: string])[];
}[] = [
  {
    group: "API keys",
    all: "api_key.*",
    items: [
      ["api_key.created", "Key created"],
      ["api_key.edited", "Key edited"],
      ["api_key.rotated", "Key rotated"],
      ["api_key.overlap_started", "Overlap started"],
      ["api_key.revoked", "Key revoked"],
    ],
  },
  {
    group: "Environments",
    all: "environment.*",
    items: [
      ["environment.created", "Environment created"],
      ["environment.renamed", "Environment renamed"],
      ["environment.deleted", "Environment deleted"],
    ],
  },
  {
    group: "Service tokens",
    all: "access_token.*",
    items: [
      ["access_token.created", "Token created"],
      ["access_token.deleted", "Token deleted"],
    ],
  },
  {
    group: "Members",
    all: "member.*",
    items: [
      ["member.joined", "Member joined"],
      ["member.role_changed", "Role changed"],
      ["member.removed", "Member removed"],
      ["member.left", "Member left"],
    ],
  },
  {
    group: "Invitations",
    all: "invitation.*",
    items: [
      ["invitation.created", "Invitation made"],
      ["invitation.sent", "Invitation sent again"],
      ["invitation.cancelled", "Invitation cancelled"],
    ],
  },
  {
    group: "Sign-in links",
    all: "sign_in_link.*",
    items: [
      ["sign_in_link.created", "Sign-in link made"],
      ["sign_in_link.opened", "Signed in by link"],
    ],
  },
  {
    group: "Account",
    all: "account.*",
    items: [
      ["account.created", "Account created"],
      ["account.updated", "Settings changed"],
      ["account.suspended", "Account suspended"],
      ["account.unsuspended", "Suspension lifted"],
    ],
  },
  {
    group: "Set-up",
    all: "setup.*",
    items: [["setup.completed", "Latchkey set up"]],
  },
];

/** What kind of thing an action is, for its picture and colour. */
export type Mood = "made" | "changed" | "ended";

const ended = /\.(?:revoked|deleted|removed|left|cancelled|suspended)$/;
const made = /\.(?:created|joined|completed|opened|unsuspended)$/;

/** Whether an action made something, ended something, or neither. */
export const moodOf = (action: string): Mood =>
  ended.test(action) ? "ended" : made.test(action) ? "made" : "changed";

/** What was done, to follow the name of who did it: "revoked", a key. */
export function sentenceOf(entry: AuditLogJson): Part[] {
  const words = sentences[entry.action];
  return words === undefined
    ? // A later server knows more: its own words, made readable.
      [`${entry.action.replace(/[._]/g, " ")} `, subjectOf(entry)]
    : words(entry);
}

const text = (value: unknown): string | null =>
  typeof value === "string" && value !== "" ? value : null;

/** What it was done to: a key by what people know it by, else its name. */
function subjectOf({ api_key, subject }: AuditLogJson): Part {
  return api_key === null ? { name: subject.name ?? subject.id } : { key: api_key };
}

const tokenKinds: Record<string, string> = {
  service: "service token",
  verifier: "verifier token",
  operator: "operator token",
};

const tokenKind = ({ details }: AuditLogJson): string =>
  tokenKinds[text(details.kind) ?? ""] ?? "token";

const email = ({ details, subject }: AuditLogJson): Part => ({
  name: text(details.email) ?? subject.name ?? subject.id,
});

const role = ({ details }: AuditLogJson, name = "role"): string => text(details[name]) ?? "member";

const sentences: Record<string, (entry: AuditLogJson) => Part[]> = {
  "account.created": (entry) => ["created the account ", subjectOf(entry)],
  "account.updated": updated,
  "account.suspended": (entry) => ["suspended the account ", subjectOf(entry)],
  "account.unsuspended": (entry) => ["lifted the suspension of ", subjectOf(entry)],
  "account.deleted": (entry) => ["deleted the account ", subjectOf(entry)],
  "setup.completed": (entry) => ["set up Latchkey with the account ", subjectOf(entry)],
  "environment.created": (entry) => ["created the environment ", named(entry)],
  "environment.renamed": (entry) => [
    "renamed the environment ",
    { name: text(entry.details.name_before) ?? entry.subject.id },
    " to ",
    named(entry),
  ],
  "environment.deleted": (entry) => ["deleted the environment ", named(entry)],
  "api_key.created": created,
  "api_key.edited": edited,
  "api_key.revoked": (entry) => ["revoked ", subjectOf(entry)],
  "api_key.rotated": (entry) => [
    "rotated ",
    subjectOf(entry),
    " to ",
    keyNamed(entry, "rotated_to", "its successor"),
  ],
  "api_key.overlap_started": (entry) => [
    "started the overlap of ",
    subjectOf(entry),
    ": its successor was used",
  ],
  "access_token.created": (entry) => [`created the ${tokenKind(entry)} `, subjectOf(entry)],
  "access_token.deleted": (entry) => [`deleted the ${tokenKind(entry)} `, subjectOf(entry)],
  "member.joined": (entry) =>
    entry.actor.id === entry.subject.id
      ? [`joined as ${role(entry)}`]
      : ["added ", subjectOf(entry), ` as ${role(entry)}`],
  "member.role_changed": (entry) => [
    "changed the role of ",
    subjectOf(entry),
    ` from ${role(entry, "role_before")} to ${role(entry)}`,
  ],
  "member.removed": (entry) => ["removed ", subjectOf(entry)],
  "member.left": () => ["left the account"],
  "invitation.created": (entry) => ["invited ", email(entry), ` as ${role(entry)}`],
  "invitation.sent": (entry) => ["sent the invitation of ", email(entry), " again"],
  "invitation.cancelled": (entry) => ["cancelled the invitation of ", email(entry)],
  "sign_in_link.created": (entry) => ["made a sign-in link for ", email(entry)],
  "sign_in_link.opened": () => ["signed in by a link"],
};

/** By the name that it had then: an environment may have got another since. */
const named = (entry: AuditLogJson): Part => ({
  name: text(entry.details.name) ?? entry.subject.name ?? entry.subject.id,
});

/** A key that the details name. */
function keyNamed({ details }: AuditLogJson, name: string, words: string): Part {
  const id = text(details[name]);
  const hint = text(details[`${name}_hint`]);
  return id === null ? words : { key: { id, hint: hint ?? words, description: "" } };
}

function created(entry: AuditLogJson): Part[] {
  const key = subjectOf(entry);
  if (text(entry.details.exchanged_for) !== null) return ["exchanged a service token for ", key];
  if (text(entry.details.rotated_from) !== null)
    return [
      "created ",
      key,
      " as the successor of ",
      keyNamed(entry, "rotated_from", "another key"),
    ];
  return ["created ", key];
}

const fieldWords: Record<string, string> = {
  description: "description",
  metadata: "metadata",
  expires_at: "end",
  overlap_seconds: "overlap",
};

function edited(entry: AuditLogJson): Part[] {
  const { fields } = entry.details;
  const changed = Array.isArray(fields) ? fields.map((name) => fieldWords[name] ?? `${name}`) : [];
  return [`changed the ${changed.length === 0 ? "facts" : listed(changed)} of `, subjectOf(entry)];
}

function updated(entry: AuditLogJson): Part[] {
  const { details } = entry;
  if ("api_key_max_age_days" in details)
    return typeof details.api_key_max_age_days === "number"
      ? [`set the maximum age of API keys to ${days(details.api_key_max_age_days)}`]
      : ["removed the maximum age of API keys"];
  if ("require_two_factor" in details)
    return [
      details.require_two_factor === true
        ? "required a second factor of every member"
        : "made the second factor voluntary",
    ];
  const name = text(details.name);
  return name === null ? ["changed the account's settings"] : ["renamed the account to ", { name }];
}

const days = (count: number): string => (count === 1 ? "1 day" : `${count} days`);

const list = new Intl.ListFormat("en", { type: "conjunction" });
const listed = (words: string[]): string => list.format(words);

/** A sentence as one line of text, for whoever listens to it. */
export const plainly = (parts: readonly Part[]): string =>
  parts
    .map((part) => (typeof part === "string" ? part : "name" in part ? part.name : part.key.hint))
    .join("");

/** What the details of an entry say that its sentence does not. */
export interface Fact {
  name: string;
  now: string;
  /** What it was before; `undefined` where nothing was. */
  before?: string | undefined;
}

/** The details as facts: a value that changed stands beside what it was. */
export function factsOf({ details }: AuditLogJson): Fact[] {
  return Object.entries(details).flatMap(([name, value]): Fact[] => {
    if (name.endsWith("_before") || name === "fields" || name === "hint") return [];
    const before = details[`${name}_before`];
    const changed = Object.hasOwn(details, `${name}_before`);
    if (isRecord(value) && (before === undefined || isRecord(before)))
      return Object.keys(value).map((key) => ({
        name: `${wordsOf(name)} “${key}”`,
        now: shown(value[key]),
        ...(changed ? { before: shown(before?.[key]) } : {}),
      }));
    if ((value === null || (Array.isArray(value) && value.length === 0)) && !changed) return [];
    return [
      { name: wordsOf(name), now: shown(value), ...(changed ? { before: shown(before) } : {}) },
    ];
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const names: Record<string, string> = {
  api_key_max_age_days: "Maximum age of keys, days",
  expires_at: "Ends",
  exchanged_for: "Service token",
  external_id: "External id",
  keys: "Keys",
  overlap_seconds: "Overlap, seconds",
  rotated_from: "Predecessor",
  rotated_from_hint: "Predecessor's hint",
  rotated_to: "Successor",
  rotated_to_hint: "Successor's hint",
  starts: "Overlap starts",
};

function wordsOf(name: string): string {
  const words = names[name] ?? name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function shown(value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string")
    return isTime.test(value) ? moment.format(new Date(value)) : value || "empty";
  return Array.isArray(value) ? value.join(", ") : JSON.stringify(value);
}
