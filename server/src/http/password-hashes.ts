import { Failure } from "@latchkey/sdk/core";
import { hashPassword, verifyPassword } from "better-auth/crypto";

/**
 * Passwords hashed at a moment. Each keeps one of libuv's threads, of which there are four unless UV_THREADPOOL_SIZE says
 * otherwise, for tens of milliseconds; what else needs one, as the library does to sign a cookie while its transaction is
 * open, must not wait behind a row of strangers' passwords.
 */
const AT_ONCE = 2;

/** Passwords that wait for their turn: some half a second of it. */
const WAITING_MAX = 14;

/**
 * Hashes and checks passwords by better-auth's scrypt, few at once and the others in turn. Throws a Failure `rate_limited`
 * when too many wait.
 */
export interface PasswordHashes {
  hash(password: string): Promise<string>;
  verify(data: { hash: string; password: string }): Promise<boolean>;
}

/** @param scrypt What is kept in turn. */
export function passwordHashes(
  scrypt: PasswordHashes = { hash: hashPassword, verify: verifyPassword },
): PasswordHashes {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function inTurn<Done>(work: () => Promise<Done>): Promise<Done> {
    if (waiting.length === WAITING_MAX)
      throw new Failure("rate_limited", "Too many passwords at once. Try again.", {
        retryAfterSeconds: 1,
      });
    if (running < AT_ONCE) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return {
    hash: (password) => inTurn(() => scrypt.hash(password)),
    verify: (data) => inTurn(() => scrypt.verify(data)),
  };
}
