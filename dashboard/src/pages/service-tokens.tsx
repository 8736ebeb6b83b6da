import { IconEyeOff, IconPlugConnected } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Navigate } from "@tanstack/react-router";
import { serviceTokensQuery } from "../api.ts";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";
import { ServiceTokenForm } from "../parts/service-token-form.tsx";
import { TokenBoard } from "../parts/token-board.tsx";
import { may, usePlace } from "../place.ts";

/** Settings > Service tokens: what programs of the account call the management API with. */
export function ServiceTokensPage() {
  const { account } = usePlace();
  return may(account, "service_tokens:read") ? (
    <ServiceTokens />
  ) : (
    <Page title="Service tokens" lead={`Credentials of programs that manage ${account.name}.`}>
      <Empty
        icon={IconEyeOff}
        title="Only owners and admins see service tokens"
        text="A program with one of them can do what an admin can. Ask an owner or an admin of this account."
      />
    </Page>
  );
}

const route = getRouteApi("/$account/$environment/settings/service-tokens");

function ServiceTokens() {
  const { account } = usePlace();
  const cursor = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <TokenBoard
      title="Service tokens"
      lead={`Programs manage ${account.name} with them, in every environment and with an admin's rights.`}
      what="service tokens"
      kind="service"
      list={useQuery(serviceTokensQuery(account.slug, cursor))}
      form={ServiceTokenForm}
      cursor={cursor}
      onTurn={(search) => void navigate({ search, resetScroll: false })}
      first={<Navigate from={route.id} to="." search={{}} replace />}
      empty={{
        icon: IconPlugConnected,
        title: "No service tokens",
        text: "A program needs one to create, rotate and revoke keys over the API. Create one for each, so that each can be deleted alone.",
      }}
    />
  );
}
