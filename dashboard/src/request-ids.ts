/** As the server and the SDK make them; see `request_id` in the body of a refusal. */
const shape = /(?<![0-9A-Za-z])req_[0-9A-Za-z]{24}(?![0-9A-Za-z])/;

/**
 * Finds the request id in whatever was pasted: the id itself, a header's line, or the whole body of an error.
 *
 * @returns `null` when there is none.
 */
export const requestIdIn = (pasted: string): string | null => shape.exec(pasted)?.[0] ?? null;
