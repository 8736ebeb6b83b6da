import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { cacheKeys, visitor } from "../api.ts";
import { explain } from "../failures.ts";

/**
 * Ends the session.
 *
 * @param options `stay`: on a page that can do without one; else it leads to sign-in.
 */
export function useSignOut({ stay = false } = {}): { signOut: () => void; isPending: boolean } {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const leave = useMutation({
    mutationFn: () => visitor.signOut(),
    onSuccess: async () => {
      if (stay) return queryClient.resetQueries({ queryKey: cacheKeys.me });
      await navigate({ to: "/sign-in" });
      queryClient.clear();
    },
    onError: (error) =>
      notifications.show({ color: "red", title: "Not signed out", message: explain(error) }),
  });
  return { signOut: () => leave.mutate(), isPending: leave.isPending };
}
