import type { Client, EnvironmentJson, MeJson, Role } from "@latchkey/sdk/client";
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

/** Whether the role may create, describe and revoke. The server decides; this only hides what it would refuse. */
export const mayManage = (role: Role): boolean => role === "owner" || role === "admin";

/** Whether the role may set what holds for the whole account. The server decides; this only hides what it would refuse. */
export const isOwner = (role: Role): boolean => role === "owner";

/** Support sees no keys. */
export const maySeeKeys = (role: Role): boolean => role !== "support";

/** Whether they may read who changed what. The server decides; this only hides what it would refuse. */
export const mayReadAudit = ({ account }: Pick<Place, "account">): boolean =>
  account.permissions.includes("audit_logs:read");
