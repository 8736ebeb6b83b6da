/** The server's own bounds, so that a form says at once what a 422 would say later. */
export const bounds = {
  passwordMin: 12,
  passwordMax: 128,
  nameMax: 100,
  tokenNameMax: 64,
  emailMax: 254,
  descriptionMax: 256,
  reasonMax: 256,
  slugMax: 40,
  searchMax: 100,
  pageSize: 25,
  auditPageSize: 50,
  auditActorsMax: 100,
  /** The switcher's and the settings' whole list in one page. */
  environmentsMax: 200,
  /** Keys of one maker that are counted by environment: one page of the API. */
  keysMadeMax: 200,
  codeMax: 32,
  /** Keys that have a row of their own on the usage page; the table for download has every one. */
  usageKeysMax: 25,
} as const;

const slugShape = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
const emailShape = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** Makes a slug of a name: `"Acme, Inc."` → `"acme-inc"`. Empty when nothing of the name can stay. */
export function slugOf(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{Mark}+/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, bounds.slugMax)
    .replace(/^-+|-+$/g, "");
}

/** Form rules: each answers `null`, or what is wrong with the value. */
export const rules = {
  name: (value: string): string | null => {
    if (value.trim() === "") return "Enter a name.";
    return value.trim().length > bounds.nameMax ? `At most ${bounds.nameMax} characters.` : null;
  },
  tokenName: (value: string): string | null => {
    if (value.trim() === "") return "Enter a name.";
    return value.trim().length > bounds.tokenNameMax
      ? `At most ${bounds.tokenNameMax} characters.`
      : null;
  },
  email: (value: string): string | null =>
    emailShape.test(value.trim()) && value.length <= bounds.emailMax
      ? null
      : "Enter an e-mail address such as ada@example.com.",
  password: (value: string): string | null => (value === "" ? "Enter your password." : null),
  newPassword: (value: string): string | null => {
    if (value.length < bounds.passwordMin) return `At least ${bounds.passwordMin} characters.`;
    return value.length > bounds.passwordMax ? `At most ${bounds.passwordMax} characters.` : null;
  },
  code: (value: string): string | null =>
    /^\d{6}$/.test(value.replace(/\s/g, "")) ? null : "Enter the six digits.",
  recoveryCode: (value: string): string | null =>
    value.trim() === "" ? "Enter a recovery code." : null,
  slug: (value: string): string | null =>
    slugShape.test(value) ? null : "1 to 40 lower-case letters, digits and inner hyphens.",
  description: (value: string): string | null =>
    value.length > bounds.descriptionMax ? `At most ${bounds.descriptionMax} characters.` : null,
  reason: (value: string): string | null =>
    value.length > bounds.reasonMax ? `At most ${bounds.reasonMax} characters.` : null,
};
