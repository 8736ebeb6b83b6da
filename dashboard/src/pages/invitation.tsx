import { ApiError, type MeJson, type OpenedInvitationJson } from "@latchkey/sdk/client";
import { Button, Group, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { meQuery, visitor } from "../api.ts";
import { isRefused } from "../failures.ts";
import { dropLinkSecret, useLinkSecret } from "../link-secrets.ts";
import { CutLink } from "../parts/cut-link.tsx";
import { JoinForm } from "../parts/join-form.tsx";
import { LookIntoMail } from "../parts/look-into-mail.tsx";
import { PageLoader } from "../parts/page-loader.tsx";
import { Plate } from "../parts/plate.tsx";
import { Problem } from "../parts/problem.tsx";
import { useSignOut } from "../parts/use-sign-out.ts";
import { invitationQuery } from "../people-api.ts";
import { asRole, ROLES } from "../roles.ts";
import { formatMoment } from "../times.ts";

/** `/invitation#<secret>`: who invites to what, and the way in, for somebody new and for somebody who is here already. */
export function InvitationPage() {
  const secret = useLinkSecret("/invitation");
  const opened = useQuery({ ...invitationQuery(secret), enabled: secret !== "" });
  const me = useQuery(meQuery);
  const visiting = me.error instanceof ApiError && me.error.status === 401;

  if (secret === "") return <NoSecret />;
  if (opened.isError && isRefused(opened.error) && opened.error.status !== 429)
    return <DeadInvitation />;
  const failed = opened.isError ? opened : me.isError && !visiting ? me : null;
  if (failed !== null)
    return (
      <Plate title="Invitation">
        <Problem
          title="The invitation could not be opened"
          error={failed.error}
          onRetry={() => void failed.refetch()}
          retrying={failed.isFetching}
        />
      </Plate>
    );
  // Whoever is signed in is known from the cache for a moment after signing out: only the server's word counts.
  if (opened.data === undefined || (me.data === undefined && !visiting))
    return <PageLoader label="Opening the invitation" />;
  return (
    <Invitation secret={secret} invitation={opened.data} me={visiting ? undefined : me.data} />
  );
}

interface InvitationProps {
  secret: string;
  invitation: OpenedInvitationJson;
  /** Who is signed in. */
  me: MeJson | undefined;
}

function Invitation({ secret, invitation, me }: InvitationProps) {
  const { account, email, role, invited_by, expires_at } = invitation;
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const accept = useMutation({
    mutationFn: (newcomer: { name?: string; password?: string }) =>
      visitor.person.acceptInvitation({ secret, ...newcomer }),
    onSuccess: async (joined) => {
      dropLinkSecret("/invitation");
      if (joined.confirmation_mailed === true) return;
      // What was known of the person is old, or was another's.
      queryClient.clear();
      await navigate({ to: "/$account", params: { account: joined.account.slug }, replace: true });
    },
  });
  const dead = accept.error instanceof ApiError && accept.error.status === 404;
  if (dead) return <DeadInvitation />;
  if (accept.data?.confirmation_mailed === true) return <LookIntoMail email={email} />;
  return (
    <Plate
      title={`Join ${account.name}`}
      lead={
        <>
          {invited_by} invites {email} as {asRole(role)}. {ROLES[role].text}
        </>
      }
    >
      {me === undefined ? (
        <JoinForm email={email} accept={accept} />
      ) : me.person.confined ? (
        <WrongPerson text="You came here by a link of another product, which reaches one account alone. Sign out, and then sign in with a password of your own." />
      ) : me.person.email.toLowerCase() !== email.toLowerCase() ? (
        <WrongPerson
          text={`You are signed in as ${me.person.email}, and the invitation is for ${email}. Sign out to accept it as somebody else, or ask ${invited_by} to invite ${me.person.email}.`}
        />
      ) : (
        <>
          {accept.isError ? (
            <Problem title="You did not join" error={accept.error} />
          ) : (
            <Text fz="sm">You are signed in as {me.person.email}.</Text>
          )}
          <Button loading={accept.isPending} onClick={() => accept.mutate({})}>
            Join {account.name}
          </Button>
        </>
      )}
      <Text fz="xs" c="dimmed">
        The invitation works once, until {formatMoment(expires_at)}.
      </Text>
    </Plate>
  );
}

function WrongPerson({ text }: { text: string }) {
  const { signOut, isPending } = useSignOut({ stay: true });
  return (
    <>
      <Text fz="sm">{text}</Text>
      <Group>
        <Button variant="default" loading={isPending} onClick={signOut}>
          Sign out
        </Button>
        <Button variant="subtle" renderRoot={(props) => <Link to="/" {...props} />}>
          Stay signed in
        </Button>
      </Group>
    </>
  );
}

function DeadInvitation() {
  return (
    <Plate
      title="This invitation no longer works"
      lead="It was accepted, cancelled or replaced, or its seven days are over."
    >
      <Text fz="sm">
        If you have joined already, sign in. Or ask whoever invited you for a new link.
      </Text>
      <Group>
        <Button renderRoot={(props) => <Link to="/" {...props} />}>Go to Latchkey</Button>
      </Group>
    </Plate>
  );
}

function NoSecret() {
  return (
    <CutLink what="invitation link">
      <Text fz="sm">
        Copy the link that you were given, to its very end, and open it here. It works once, for
        seven days.
      </Text>
    </CutLink>
  );
}
