import { useMediaQuery } from "@mantine/hooks";

/** Whether there is no room for a table; read at once, so that nothing jumps after the first paint. */
export const useNarrow = (): boolean =>
  useMediaQuery("(max-width: 66em)", false, { getInitialValueInEffect: false });
