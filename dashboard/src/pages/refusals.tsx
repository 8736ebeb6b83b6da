import { Button } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { KEY_REASONS } from "../outcomes.ts";
import { NoKeysForRole } from "../parts/empty-keys.tsx";
import { Page } from "../parts/page.tsx";
import { RefusalBoard } from "../parts/refusal-board.tsx";
import { maySeeKeys, usePlace } from "../place.ts";
import { environmentRefusals, keyNameQuery } from "../usage-api.ts";

/** Observability > Refusals: those of the environment's keys. */
export function RefusalsPage() {
  const { account, environment } = usePlace();
  return (
    <Page
      title="Refusals"
      lead="Why a request was refused: the truth that its caller was not told."
    >
      {maySeeKeys(account.role) ? (
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
  const filter = key === undefined ? {} : { key };
  return (
    <RefusalBoard
      source={environmentRefusals(account.slug, environment.slug, key)}
      reasons={KEY_REASONS}
      address={address}
      onChange={(next) => void navigate({ search: { ...filter, ...next }, resetScroll: false })}
      elsewhere={`No key of ${account.name} was refused with this id. If the token was unknown or malformed, it belongs to no account: ask whoever runs this Latchkey.`}
      filter={
        key === undefined ? null : (
          <OneKey id={key} onClear={() => void navigate({ search: {}, resetScroll: false })} />
        )
      }
    />
  );
}

/** Says that only one key's refusals are shown. */
function OneKey({ id, onClear }: { id: string; onClear: () => void }) {
  const { account, environment } = usePlace();
  const { data } = useQuery(keyNameQuery(account.slug, environment.slug, id));
  return (
    <Button
      variant="light"
      rightSection={<IconX size={14} aria-hidden />}
      aria-label="Show refusals of every key"
      onClick={onClear}
    >
      Key {data?.hint ?? id}
    </Button>
  );
}
