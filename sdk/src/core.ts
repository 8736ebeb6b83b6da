/** What the server shares with the SDK: the very code that decides. Not covered by the SDK's version promise. */
export * from "./failure.ts";
export * from "./held-key.ts";
export * from "./judge.ts";
export * from "./lease/clock.ts";
export * from "./lease/frames.ts";
export * from "./lease/lookup.ts";
export * from "./lease/sharing.ts";
export * from "./lease/upstream.ts";
export * from "./reports.ts";
export * from "./tally.ts";
export * from "./token.ts";
export * from "./usage.ts";
export * from "./verdict.ts";
export * from "./verifier.ts";
