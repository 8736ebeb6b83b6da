import { Button, Group } from "@mantine/core";
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { Plate } from "../parts/plate.tsx";
import { Problem } from "../parts/problem.tsx";

/** An address that no page has. */
export function NotFoundPage() {
  return (
    <Plate title="Page not found" lead="There is nothing at this address.">
      <Group>
        <Button renderRoot={(props) => <Link to="/" {...props} />}>Go to your API keys</Button>
      </Group>
    </Plate>
  );
}

interface NotHereProps {
  what: "account" | "environment";
  /** The account that has no such environment. */
  account?: { slug: string; name: string };
}

/** An account or environment that is not there, or not the reader's: nobody learns which. */
export function NotHere({ what, account }: NotHereProps) {
  return (
    <Plate
      title={what === "account" ? "Account not found" : "Environment not found"}
      lead={`The address names an ${what} that does not exist or that you do not belong to.`}
    >
      <Group>
        {account === undefined ? (
          <Button renderRoot={(props) => <Link to="/" {...props} />}>Go to your account</Button>
        ) : (
          <Button
            renderRoot={(props) => (
              <Link to="/$account" params={{ account: account.slug }} {...props} />
            )}
          >
            Go to {account.name}
          </Button>
        )}
      </Group>
    </Plate>
  );
}

/** An account that somebody belonged to until a moment ago. */
export function NoLongerHere({ name }: { name: string }) {
  return (
    <Plate
      title={`You no longer belong to ${name}`}
      lead="An owner or admin removed you, or the account was closed."
    >
      <Group>
        <Button renderRoot={(props) => <Link to="/" {...props} />}>Go on</Button>
      </Group>
    </Plate>
  );
}

/** The shell could not learn where it is. */
export function ShellFailure({ error, onRetry }: { error: unknown; onRetry: () => unknown }) {
  return (
    <Plate title="This page could not be loaded">
      <Problem title="No answer to work with" error={error} onRetry={() => void onRetry()} />
    </Plate>
  );
}

/** A fault of the page itself. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  return (
    <Plate title="Something went wrong">
      <Problem title="This page stopped working" error={error} onRetry={reset} />
    </Plate>
  );
}
