import type { AccountPermission, Client, EnvironmentJson, MeJson } from "@latchkey/sdk/client";
import { createContext, useContext } from "react";

/** Where in the dashboard a person is: account, environment and what they may do there. */
export interface Place {
  person: MeJson["person"];
  /** Whether they run the installation. The server decides; this only hides what it would refuse. */
  operator: boolean;
  account: MeJson["accounts"][number];
  accounts: MeJson["accounts"];
  environment: EnvironmentJson;
  /** Every environment of the account, oldest first. */
  environments: EnvironmentJson[];
  client: Client;
}

export const PlaceContext = createContext<Place | null>(null);

/** The place that the shell has found in the address. Only pages inside the shell may ask. */
export function usePlace(): Place {
  const place = useContext(PlaceContext);
  if (place === null) throw new Error("usePlace is for pages inside the shell");
  return place;
}

/**
 * Whether somebody may do that in an account, as the server's own table says. The server decides; this only hides what it
 * would refuse.
 */
export const may = (account: MeJson["accounts"][number], permission: AccountPermission): boolean =>
  account.permissions.includes(permission);
