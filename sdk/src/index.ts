export * from "./client.ts";
export type { Ask, KeyRecord, KeyType } from "./judge.ts";
export { digestToken, parseToken, type TokenParts, type TokenPrefix, tokenHint } from "./token.ts";
