import { getRouteApi } from "@tanstack/react-router";
import { KEY_REASONS } from "../outcomes.ts";
import { NoKeysForRole } from "../parts/empty-keys.tsx";
import { KeyChoice } from "../parts/key-choice.tsx";
import { Page } from "../parts/page.tsx";
import { RefusalBoard } from "../parts/refusal-board.tsx";
import { may, usePlace } from "../place.ts";
import { environmentRefusals } from "../usage-api.ts";

/** Observability > Refusals: those of the environment's keys. */
export function RefusalsPage() {
  const { account, environment } = usePlace();
  return (
    <Page
      title="Refusals"
      lead="Why a request was refused: the truth that its caller was not told."
    >
      {may(account, "keys:read") ? (
        <Refusals key={environment.id} />
      ) : (
        <NoKeysForRole what="Refusals are" />
      )}
    </Page>
  );
}

const route = getRouteApi("/$account/$environment/observability/refusals");

function Refusals() {
  const { account, environment } = usePlace();
  const { key, ...address } = route.useSearch();
  const navigate = route.useNavigate();
  const go = (search: ReturnType<typeof route.useSearch>): void =>
    void navigate({ search, resetScroll: false });
  return (
    <RefusalBoard
      source={environmentRefusals(account.slug, environment.slug, key)}
      reasons={KEY_REASONS}
      address={address}
      onChange={(next) => go({ ...(key === undefined ? {} : { key }), ...next })}
      elsewhere={`No key of ${account.name} was refused with this id. If the token was unknown or malformed, it belongs to no account: ask whoever runs this Latchkey.`}
      filter={
        <KeyChoice
          id={key}
          onChange={(id) => {
            const { reason } = address;
            go({
              ...(reason === undefined ? {} : { reason }),
              ...(id === null ? {} : { key: id }),
            });
          }}
        />
      }
    />
  );
}
