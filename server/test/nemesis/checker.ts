import type { Entry, Subject } from "./history.ts";

/** A promise that a history breaks, or a reason why it proves nothing. */
export interface Violation {
  readonly kind:
    | "late accept"
    | "early refusal"
    | "refused though never revoked"
    | "unexpected answer"
    | "malformed"
    | "vacuous";
  readonly text: string;
  /** The line that breaks it; absent when it is the whole history. */
  readonly about?: Entry;
}

/** What was checked. */
export interface Counts {
  verifications: number;
  accepts: number;
  refusals: number;
  /** Refusals that a revocation which had returned made certain: an accept would have been a violation. */
  refusalsAfterReturn: number;
  /** Accepts while a revocation was under way: right, and what a revocation that returned too early would expose. */
  acceptsDuringRevocation: number;
  /** Accepts by what an app held, and those of them while a revocation was under way. */
  acceptsHeld: number;
  acceptsHeldDuringRevocation: number;
  /** 503, 408, or no whole answer. */
  undecided: number;
  issued: number;
  /** Calls with service tokens, and refusals among them that a deletion which had returned made certain. */
  uses: number;
  usesRefusedAfterReturn: number;
  /** Revocations that returned and so promised something; those of service tokens among them. */
  revokesReturned: number;
  deletionsReturned: number;
  /** Those that came to nothing certain: 202, 503, 408, or no whole answer. */
  revokesUncertain: number;
  /** By kind. */
  faults: Record<string, number>;
}

type Of<Kind extends Entry["kind"]> = Extract<Entry, { kind: Kind }>;

/** When a key, an environment or an account began to be revoked, and when that was certainly over. */
interface Revoking {
  readonly firstInvokedMs: number;
  returnedMs: number;
}

/**
 * Holds a history of verifications, of calls with service tokens and of revocations to the promises of a lease:
 *
 * - nothing is accepted whose verification began after a revocation of its key, environment or account returned, or the
 *   deletion of the service token that it was exchanged for; nor is a call with a token that began after its deletion did;
 * - nothing is refused before such a revocation began;
 * - nothing is refused that nobody revoked;
 * - an answer is an accept, a refusal, a 503, or a 408: it tells that the request did not arrive, as it may be of a
 *   connection that was made for a request that was given up while its server stood still.
 *
 * Between the beginning of a revocation and the return of one that says `effective` (or that it is gone), both answers
 * are right. So they are when two times are equal: their order is then not known. Pure; the order of lines is of no
 * account. A history that does not add up, or in which nothing could have gone wrong, is a violation itself.
 */
export function check(history: readonly Entry[]): { violations: Violation[]; counts: Counts } {
  const violations: Violation[] = [];
  const complain: Complain = (kind, text, about) => void violations.push({ kind, text, about });
  const counts = noCounts();
  checkForm(history, complain);
  const revoking = collectRevocations(history, complain, counts);
  const perPlace = new Map<string, Seen>();
  for (const each of history) {
    if (each.kind === "fault") counts.faults[each.fault] = (counts.faults[each.fault] ?? 0) + 1;
    if (each.kind === "issue") {
      if (isIssued(each)) counts.issued += each.subject.key === null ? 0 : 1;
      else if (!decidesNothing(each.status)) complain("unexpected answer", "an issue call", each);
    }
    if (each.kind !== "verify" && each.kind !== "use") continue;
    // A node has to show apart that it tells living tokens from dead ones: it does so by other means.
    const place = each.kind === "use" ? `${each.node} (service tokens)` : each.node;
    const seen = perPlace.get(place) ?? { accepts: 0, refusals: 0, tells: false, held: 0 };
    perPlace.set(place, seen);
    const revocations = around(each.subject, revoking);
    if (each.kind === "use") checkUse(each, revocations, complain, counts, seen);
    else checkVerification(each, revocations, complain, counts, seen);
  }
  for (const text of vacuities(counts, perPlace)) violations.push({ kind: "vacuous", text });
  return { violations, counts };
}

type Complain = (kind: Violation["kind"], text: string, about: Entry) => void;

/** What one place made of the verifications that say something about it. */
interface Seen {
  accepts: number;
  /** After a revocation returned. */
  refusals: number;
  /** Whether it ever told if it decided by what it held. */
  tells: boolean;
  /** Accepts by what it held. */
  held: number;
}

function checkVerification(
  each: Of<"verify">,
  revocations: readonly Revoking[],
  complain: Complain,
  counts: Counts,
  seen: Seen,
): void {
  const held = each.status === 200 && each.held === true ? 1 : 0;
  counts.verifications += 1;
  counts.acceptsHeld += held;
  seen.held += held;
  if (each.held !== null) seen.tells = true;
  const judged = judge(each, revocations, complain, seen);
  if (judged.accepted) counts.accepts += 1;
  if (judged.refused) counts.refusals += 1;
  if (judged.refused && judged.isOver) counts.refusalsAfterReturn += 1;
  if (!judged.accepted && !judged.refused && decidesNothing(each.status)) counts.undecided += 1;
  if (!judged.accepted || judged.isOver) return;
  if (revocations.some(({ firstInvokedMs }) => each.invokedMs > firstInvokedMs)) {
    counts.acceptsDuringRevocation += 1;
    counts.acceptsHeldDuringRevocation += held;
  }
}

function checkUse(
  each: Of<"use">,
  deletions: readonly Revoking[],
  complain: Complain,
  counts: Counts,
  seen: Seen,
): void {
  const { refused, isOver } = judge(each, deletions, complain, seen);
  counts.uses += 1;
  if (refused && isOver) counts.usesRefusedAfterReturn += 1;
}

/** What an answer comes to, keys and tokens alike. `isOver`: a revocation had returned before it was asked for. */
function judge(
  each: Of<"verify"> | Of<"use">,
  revocations: readonly Revoking[],
  complain: Complain,
  seen: Seen,
): { accepted: boolean; refused: boolean; isOver: boolean } {
  const isOver = revocations.some(({ returnedMs }) => each.invokedMs > returnedMs);
  const [accepted, refused] = [each.status === 200, each.status === 401];
  if (accepted) {
    seen.accepts += 1;
    if (isOver) complain("late accept", "began after a revocation returned", each);
  } else if (refused) {
    if (isOver) seen.refusals += 1;
    if (revocations.length === 0)
      complain("refused though never revoked", "nobody revoked it", each);
    else if (revocations.every(({ firstInvokedMs }) => each.returnedMs < firstInvokedMs))
      complain("early refusal", "returned before a revocation was invoked", each);
  } else if (!decidesNothing(each.status))
    complain("unexpected answer", each.kind === "use" ? "a call" : "a verification", each);
  return { accepted, refused, isOver };
}

/** Whether it was made: an exchange answers 200, everything else 201. */
function isIssued({ subject, status }: Of<"issue">): boolean {
  return status === (subject.key !== null && subject.token !== null ? 200 : 201);
}

/** Of every revoked key, environment and account, by id: when it began, and from when on nothing may accept it. */
function collectRevocations(
  history: readonly Entry[],
  complain: Complain,
  counts: Counts,
): Map<string, Revoking> {
  const revoking = new Map<string, Revoking>();
  const revokes = history.filter((each) => each.kind === "revoke");
  for (const { subject, invokedMs } of revokes) {
    const before = revoking.get(nameOf(subject));
    const firstInvokedMs = Math.min(before?.firstInvokedMs ?? Number.POSITIVE_INFINITY, invokedMs);
    revoking.set(nameOf(subject), { firstInvokedMs, returnedMs: Number.POSITIVE_INFINITY });
  }
  const over = ({ subject, returnedMs }: Of<"revoke"> | Of<"read">): void => {
    const known = revoking.get(nameOf(subject));
    if (known !== undefined) known.returnedMs = Math.min(known.returnedMs, returnedMs);
  };
  for (const each of revokes) {
    const outcome = outcomeOf(each, revokes);
    if (outcome === "unexpected") complain("unexpected answer", "a revoke call", each);
    else if (outcome === "over") {
      counts.revokesReturned += 1;
      if (isOfToken(each.subject)) counts.deletionsReturned += 1;
      over(each);
    } else counts.revokesUncertain += 1;
  }
  for (const each of history) {
    if (each.kind !== "read") continue;
    if (each.status !== 200 && !decidesNothing(each.status))
      complain("unexpected answer", "a read", each);
    else if (each.status === 200 && each.state === "effective") {
      if (!revoking.has(nameOf(each.subject)))
        complain("unexpected answer", "revoked by nobody", each);
      over(each);
    }
  }
  return revoking;
}

/**
 * What the answer to a revoke call is worth. Without waiting, `pending` promises nothing yet. "Not there" promises what
 * success does, where somebody began to delete it: whoever reads it stops repeating the call.
 */
function outcomeOf(
  each: Of<"revoke">,
  revokes: readonly Of<"revoke">[],
): "over" | "uncertain" | "unexpected" {
  if (decidesNothing(each.status)) return "uncertain";
  if (each.status === 200 && each.state === "effective") return "over";
  if (each.status === 202 && each.state === "pending" && !each.wait) return "uncertain";
  const wasDeleted = revokes.some(
    (other) =>
      other !== each &&
      other.subject.key === null &&
      isWithin(each.subject, other.subject) &&
      other.invokedMs < each.returnedMs,
  );
  return each.status === 404 && wasDeleted ? "over" : "unexpected";
}

function decidesNothing(status: number | null): boolean {
  return status === null || status === 503 || status === 408;
}

/** The revocations that a verification of this key has to do with. */
function around(subject: Subject, revoking: ReadonlyMap<string, Revoking>): Revoking[] {
  return [subject.key, subject.token, subject.environment, subject.account].flatMap((id) => {
    const known = id === null ? undefined : revoking.get(id);
    return known === undefined ? [] : [known];
  });
}

/** Ids have prefixes, so that one map holds all kinds. */
function nameOf({ key, token, environment, account }: Subject): string {
  return key ?? token ?? environment ?? account;
}

function isOfToken({ key, token }: Subject): boolean {
  return key === null && token !== null;
}

function isWithin(inner: Subject, outer: Subject): boolean {
  return (
    inner.account === outer.account &&
    (outer.environment === null || inner.environment === outer.environment) &&
    (outer.token === null || inner.token === outer.token) &&
    (outer.key === null || inner.key === outer.key)
  );
}

/** What a history must be before anything can be said about it. */
function checkForm(history: readonly Entry[], complain: Complain): void {
  const ids = new Set<number>();
  const issued = new Map<string, Of<"issue">>();
  for (const each of history) {
    if (each.kind === "end") continue;
    if (ids.has(each.id)) complain("malformed", "an id is used twice", each);
    ids.add(each.id);
    if (!(each.invokedMs <= each.returnedMs))
      complain("malformed", "returned before it was invoked", each);
    if (each.kind !== "issue" || !isIssued(each)) continue;
    const { key, token, environment } = each.subject;
    const id = key ?? token;
    if (id === null) continue; // an environment or an account
    if ((key !== null && environment === null) || issued.has(id))
      complain("malformed", "an issued key needs a home, and an id of its own", each);
    else issued.set(id, each);
  }
  for (const each of history) {
    if (each.kind !== "verify" && each.kind !== "use") continue;
    const { key, token } = each.subject;
    const issue = issued.get((each.kind === "use" ? token : key) ?? "");
    if (issue === undefined || each.invokedMs < issue.returnedMs)
      complain("malformed", "verified before it was issued", each);
    else if (!isWithin(each.subject, issue.subject))
      complain("malformed", "its key was issued elsewhere", each);
  }
  const end = history.at(-1);
  const ends = history.filter((each) => each.kind === "end").length;
  if (end?.kind !== "end" || ends !== 1 || end.entries !== history.length - 1)
    complain("malformed", "it is not whole", end ?? { kind: "end", entries: 0 });
}

function vacuities(
  { accepts, refusalsAfterReturn, revokesReturned }: Counts,
  perPlace: ReadonlyMap<string, Seen>,
): string[] {
  const found: string[] = [];
  if (accepts === 0) found.push("nothing was accepted");
  if (revokesReturned === 0) found.push("no revocation returned");
  if (refusalsAfterReturn === 0) found.push("nothing was refused after a revocation returned");
  for (const [place, seen] of perPlace) {
    if (seen.accepts === 0 || seen.refusals === 0)
      found.push(`${place} did not both accept and refuse`);
    if (seen.tells && seen.held === 0) found.push(`${place} accepted nothing by what it held`);
  }
  return found;
}

function noCounts(): Counts {
  return {
    verifications: 0,
    accepts: 0,
    refusals: 0,
    refusalsAfterReturn: 0,
    acceptsDuringRevocation: 0,
    acceptsHeld: 0,
    acceptsHeldDuringRevocation: 0,
    undecided: 0,
    issued: 0,
    uses: 0,
    usesRefusedAfterReturn: 0,
    revokesReturned: 0,
    deletionsReturned: 0,
    revokesUncertain: 0,
    faults: {},
  };
}
