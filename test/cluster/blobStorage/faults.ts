/** What the storage's front door does to requests, as tests ask for it. */
export type StorageFault =
  /** Connections are cut before an answer. */
  | { readonly kind: "down" }
  /** Each request waits before it is handed on. */
  | { readonly kind: "slow"; readonly milliseconds: number }
  /** A part of the requests, 0 to 1, is answered with this status. */
  | { readonly kind: "failing"; readonly status: number; readonly part: number }
  /** Reading works, writing does not. */
  | { readonly kind: "full" }
  /** Every request is refused, as with a key that is valid no more. */
  | { readonly kind: "denied" };

/** How a request is answered instead of by the storage; undefined: it is handed on. Pure, but for the dice. */
export function answerInstead(
  fault: StorageFault | undefined,
  method: string,
  dice: () => number,
): { readonly status: number; readonly code: string } | undefined {
  switch (fault?.kind) {
    case "failing":
      return dice() < fault.part ? { status: fault.status, code: "ServerBusy" } : undefined;
    case "full":
      return method === "PUT" || method === "POST"
        ? { status: 409, code: "AccountCapacityExceeded" }
        : undefined;
    case "denied":
      return { status: 403, code: "AuthenticationFailed" };
    default:
      return undefined;
  }
}
