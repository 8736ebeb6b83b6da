import type { ReactNode } from "react";
import { Plate } from "./plate.tsx";

interface CutLinkProps {
  /** What kind of link, e.g. "invitation link". */
  what?: string;
  /** Where to get the whole of it. */
  children: ReactNode;
}

/** What somebody sees who opened a link without its secret. */
export function CutLink({ what = "link", children }: CutLinkProps) {
  return (
    <Plate title={`Use the whole ${what}`} lead="The part after “#” is missing.">
      {children}
    </Plate>
  );
}
