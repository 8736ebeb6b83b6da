/** A sentence as a part of another one: "Ends in 3 hours" → "ends in 3 hours". */
export const midSentence = (sentence: string): string =>
  sentence.charAt(0).toLowerCase() + sentence.slice(1);
