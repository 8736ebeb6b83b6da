export * from "./client.ts";
export { type ConnectedVerifier, connectVerifier } from "./connect.ts";
export { Failure, type FailureCode } from "./failure.ts";
export type { Ask, KeyRecord, KeyType } from "./judge.ts";
export type { ConnectOptions } from "./options.ts";
export type { VerifierState } from "./states.ts";
export { digestToken, parseToken, type TokenParts, type TokenPrefix, tokenHint } from "./token.ts";
export type { Accepted, Refusal, Refused, Verdict } from "./verdict.ts";
export type { Verify } from "./verifier.ts";
