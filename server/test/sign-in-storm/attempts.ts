import { expect } from "vitest";
import type { Answer, Deed, SignInState } from "./deeds.ts";

/** An entry of the audit log. */
export interface Entry {
  readonly action: string;
  readonly actor_id: string;
  readonly subject_id: string;
  readonly request_id: string | null;
  readonly user_agent: string;
}

/** Entries of those whose name as callers begins like this, in the order in which they were committed. */
export type ReadEntries = (name: string) => Promise<readonly Entry[]>;

/** A deed that somebody was asked for, once. */
export interface Attempt {
  /** What the caller goes by: its entry is found by that where nobody heard of it. */
  readonly name: string;
  readonly deed: Deed;
  /** `null`: nobody knows what became of it. */
  readonly answer: Answer | null;
}

/** What servers answer who do not do what they are asked for. */
const REFUSALS = [401, 404, 409, 429];

/** Asks for a deed. @returns What became of it; an answer that never came is none. */
export async function attempt(url: string, name: string, deed: Deed): Promise<Attempt> {
  const answer = await deed.ask(url, name).catch((error: unknown) => {
    if (error instanceof TypeError) return null; // `fetch` says so of a connection that broke
    throw error;
  });
  return { name, deed, answer };
}

/** Whether nobody was told what became of it. */
export const isLost = ({ answer }: Attempt): boolean => answer === null || answer.status === 503;

export const isGranted = ({ answer }: Attempt): boolean =>
  answer !== null && answer.status >= 200 && answer.status < 300;

/**
 * Holds attempts against the entries that they left: one for each that was granted and altered something, none for one
 * that was refused, and for one that was lost either.
 */
export function judgeEntries(attempts: readonly Attempt[], entries: readonly Entry[]): void {
  const names = new Set(attempts.map(({ name }) => name));
  const strange = entries.filter((entry) => !names.has(entry.user_agent));
  expect(strange, "entries that nobody asked for").toEqual([]);
  for (const tried of attempts) {
    const { name, deed, answer } = tried;
    const mine = entries.filter((entry) => entry.user_agent === name);
    const about = `${name}: ${deed.action}, answered ${answer?.status ?? "nothing"}`;
    const [first, second, ...more] = mine.map(({ action }) => action);
    if (first !== undefined) expect(first, about).toBe(deed.action);
    if (second !== undefined) expect(second, about).toBe(deed.besides);
    expect(more, about).toEqual([]);
    if (answer !== null)
      for (const entry of mine)
        expect(entry.request_id, about).toBe(answer.headers.get("X-Request-Id"));
    if (isLost(tried)) continue;
    if (!isGranted(tried)) expect(REFUSALS, about).toContain(answer?.status);
    if (!isGranted(tried)) expect(mine, about).toEqual([]);
    else if (deed.mayAlterNothing !== true) expect(first, about).toBe(deed.action);
  }
}

/** What has to be the case after these entries, each of which is of an attempt. */
export function stateAfter(
  before: SignInState,
  attempts: readonly Attempt[],
  entries: readonly Entry[],
): SignInState {
  return entries.reduce((state, entry) => {
    const done = attempts.find(
      ({ name, deed }) => name === entry.user_agent && deed.action === entry.action,
    );
    if (done === undefined) return state; // what is taken away besides belongs to the effect of the deed
    return done.deed.effect(state, isGranted(done) ? done.answer : null);
  }, before);
}
