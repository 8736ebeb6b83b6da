/** Preloaded into servers: the wall clock of the one that is named is off by so much. */
const { LATCHKEY_NODE_NAME, SHIFTED_NODE, SHIFT_MS } = process.env;

if (SHIFTED_NODE !== undefined && LATCHKEY_NODE_NAME === SHIFTED_NODE) {
  const { now } = Date;
  Date.now = () => now() + Number(SHIFT_MS);
}
