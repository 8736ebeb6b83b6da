import { useBlocker } from "@tanstack/react-router";
import { useEffect } from "react";
import { holdSecret } from "../session.ts";

const questions = {
  token: "The token is shown only this once. Leave without saving it?",
  codes: "The recovery codes are shown only this once. Leave without saving them?",
} as const;

/** While `active`, leaving the page asks first, and an ended session waits for the secret to be put away. */
export function useSecretGuard(active: boolean, what: keyof typeof questions = "token"): void {
  useEffect(() => (active ? holdSecret() : undefined), [active]);
  useBlocker({
    shouldBlockFn: () => !window.confirm(questions[what]),
    enableBeforeUnload: () => active,
    disabled: !active,
  });
}
