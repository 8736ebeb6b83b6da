import { IconShieldCheck } from "@tabler/icons-react";
import { Empty } from "./empty.tsx";

/** What of the refused requests can be looked up at all. */
export const whatIsKept =
  "Refusals are kept for 30 days, unless your operator set another time; under a flood of them only a sample is kept.";

/** No refusal to show. */
export function EmptyRefusals({ filtered }: { filtered: boolean }) {
  return (
    <Empty
      icon={IconShieldCheck}
      title={filtered ? "No refusals for this reason" : "No refusals"}
      text={whatIsKept}
    />
  );
}
