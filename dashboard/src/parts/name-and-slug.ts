import { useState } from "react";
import { slugOf } from "../bounds.ts";

interface NameAndSlug {
  /** What the slug is to become when the name becomes `name`: it follows until somebody writes their own. */
  slugFor: (name: string, slug: string) => string;
  /** Call when somebody writes into the slug's field. */
  slugWritten: (slug: string) => void;
}

/** Derives a slug from a name for as long as nobody has chosen another. */
export function useNameAndSlug(): NameAndSlug {
  const [own, setOwn] = useState(false);
  return {
    slugFor: (name, slug) => (own ? slug : slugOf(name)),
    slugWritten: (slug) => setOwn(slug !== ""),
  };
}
