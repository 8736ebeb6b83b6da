/**
 * What a line of text for people must not hold: what a terminal obeys, what ends a line, turns it round or is not seen,
 * and halves of characters. The two joiners stay: some scripts and emoji are written with them.
 */
export const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u;

/** What somebody is told who sent such a text. */
export const UNSEEN_MESSAGE = "Must not contain control characters or invisible ones.";
