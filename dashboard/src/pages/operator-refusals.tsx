import { IconEyeOff } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { UNATTRIBUTED_REASONS } from "../outcomes.ts";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";
import { RefusalBoard } from "../parts/refusal-board.tsx";
import { usePlace } from "../place.ts";
import { unattributedRefusals } from "../usage-api.ts";

/** Operator > Refusals without a key: unknown and malformed tokens, of the whole installation. */
export function OperatorRefusalsPage() {
  const { operator } = usePlace();
  return (
    <Page
      title="Refusals without a key"
      lead="Requests with no token, a malformed one or one that nobody has. They belong to no account."
    >
      {operator ? (
        <Refusals />
      ) : (
        <Empty
          icon={IconEyeOff}
          title="Only the operator sees these refusals"
          text="They belong to no account. Yours are under Observability."
        />
      )}
    </Page>
  );
}

const route = getRouteApi("/$account/$environment/operator/refusals");

function Refusals() {
  const navigate = route.useNavigate();
  return (
    <RefusalBoard
      source={unattributedRefusals}
      reasons={UNATTRIBUTED_REASONS}
      address={route.useSearch()}
      onChange={(search) => void navigate({ search, resetScroll: false })}
      elsewhere="No request without a known key was refused with this id. If there was a key, its account has it, under Observability."
    />
  );
}
