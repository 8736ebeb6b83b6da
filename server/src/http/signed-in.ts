/** The person of a dashboard session, as each request reads it from the store. */
export interface SignedIn {
  readonly personId: string;
  readonly name: string;
  readonly email: string;
  readonly sessionId: string;
  /** Whether they have the second factor on; no session of theirs from before that is left. */
  readonly twoFactor: boolean;
  /** Id of the one account that the session reaches, when a sign-in link began it; `null`: all of the person's. */
  readonly confinedTo: string | null;
}
