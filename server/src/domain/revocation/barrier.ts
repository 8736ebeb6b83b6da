import type { Revocation } from "../../store/store.ts";

/** What the rest of the domain asks of the lease protocol: to let changes be known. */
export interface Barrier {
  /** Resolves when this node has applied every change committed so far; used after a change that nobody must wait for. */
  publish(): Promise<void>;
  /**
   * Resolves when no verification that starts from now on, anywhere, accepts what the change `seq` revoked, with the
   * receipt as recorded. Called after the commit; calling it again for the same seq is harmless.
   *
   * @throws Failure `service_unavailable` when the store cannot be read to prove it.
   */
  complete(seq: number): Promise<Revocation>;
}
