import { Problem } from "./problem.tsx";

interface ReadProblemProps {
  /** What was read, to begin a sentence with: "The API keys". */
  what: string;
  /** The reading; what it brought before may still be shown. */
  query: {
    isError: boolean;
    data: unknown;
    error: unknown;
    isFetching: boolean;
    refetch: () => unknown;
  };
}

/** Says that something could not be read, or not again; nothing as long as it could. */
export function ReadProblem({ what, query }: ReadProblemProps) {
  if (!query.isError) return null;
  return (
    <Problem
      title={
        query.data === undefined
          ? `${what} could not be loaded`
          : `${what} could not be refreshed; what you see may be out of date`
      }
      error={query.error}
      onRetry={() => void query.refetch()}
      retrying={query.isFetching}
    />
  );
}
