import { IconEyeOff, IconShieldCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Navigate } from "@tanstack/react-router";
import { tokensQuery } from "../api.ts";
import { Empty } from "../parts/empty.tsx";
import { OperatorTokenForm } from "../parts/operator-token-form.tsx";
import { Page } from "../parts/page.tsx";
import { TokenBoard } from "../parts/token-board.tsx";
import { usePlace } from "../place.ts";

/** Operator > Verifier tokens: those of the whole installation, whatever the account. */
export function TokensPage() {
  const { operator } = usePlace();
  return operator ? (
    <Tokens />
  ) : (
    <Page title="Verifier tokens" lead="Credentials of the whole installation.">
      <Empty
        icon={IconEyeOff}
        title="Only the operator sees these tokens"
        text="They belong to whoever runs this Latchkey, and to no account."
      />
    </Page>
  );
}

const route = getRouteApi("/$account/$environment/operator/tokens");

function Tokens() {
  const cursor = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <TokenBoard
      title="Verifier tokens"
      lead="Your apps verify keys of every account with them. Operator tokens, which provision accounts, are here too."
      what="tokens"
      kind="verifier"
      list={useQuery(tokensQuery(cursor))}
      form={OperatorTokenForm}
      cursor={cursor}
      onTurn={(search) => void navigate({ search, resetScroll: false })}
      first={<Navigate from={route.id} to="." search={{}} replace />}
      empty={{
        icon: IconShieldCheck,
        title: "No tokens",
        text: "An app needs a verifier token to verify keys in its own process. Create one for each, so that each can be deleted alone.",
      }}
    />
  );
}
