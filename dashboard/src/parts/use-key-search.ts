import { getRouteApi } from "@tanstack/react-router";
import type { KeySearch } from "../api.ts";

const route = getRouteApi("/$account/$environment/platform/api-keys");

/** The list's filter and page, which live in the address. A change of the filter starts again at the first page. */
export function useKeySearch(): { search: KeySearch; change: (next: Partial<KeySearch>) => void } {
  const inAddress = route.useSearch();
  const navigate = route.useNavigate();
  const search: KeySearch = {
    status: inAddress.status ?? "active",
    lastUsed: inAddress.last_used ?? "any",
    expires: inAddress.expires ?? "whenever",
    q: inAddress.q ?? "",
    createdBy: inAddress.created_by,
    after: inAddress.after,
    before: inAddress.before,
  };
  const change = (next: Partial<KeySearch>): void => {
    const { status, lastUsed, expires, q, createdBy, after, before } = {
      ...search,
      after: undefined,
      before: undefined,
      ...next,
    };
    void navigate({
      search: {
        ...(status === "active" ? {} : { status }),
        ...(lastUsed === "any" ? {} : { last_used: lastUsed }),
        ...(expires === "whenever" ? {} : { expires }),
        ...(q === "" ? {} : { q }),
        ...(createdBy === undefined ? {} : { created_by: createdBy }),
        ...(after === undefined ? {} : { after }),
        ...(before === undefined ? {} : { before }),
      },
      // Each letter of a search is not a place to come back to.
      replace: next.q !== undefined && after === undefined && before === undefined,
      resetScroll: false,
    });
  };
  return { search, change };
}
