/** One member, as a rollout sees it. */
export interface MemberState {
  readonly name: string;
  /** undefined: neither, for the moment. */
  readonly role: "primary" | "replica" | undefined;
  /** Takes clients: a primary with the lock, a replica that streams. */
  readonly ready: boolean;
  /** Runs what the StatefulSet says now. */
  readonly current: boolean;
  /** Its agent has read the settings that are to hold. */
  readonly informed: boolean;
  /** A setting has changed that PostgreSQL reads at its start only. */
  readonly pendingRestart: boolean;
}

export type Step =
  | { readonly do: "wait"; readonly for: string }
  | { readonly do: "replace" | "restart" | "switch over"; readonly member: string }
  | { readonly do: "nothing" };

/**
 * What comes next on the way to a cluster whose members all run what they should: one member at a time, replicas first,
 * the primary last and only as a replica.
 */
export function nextStep(members: readonly MemberState[]): Step {
  // One that is down and outdated may be down because of what is being corrected: waiting for it would be for ever.
  const broken = members.find(({ ready, current }) => !ready && !current);
  if (broken !== undefined) return { do: "replace", member: broken.name };
  const unready = members.find(({ ready }) => !ready);
  if (unready !== undefined) return { do: "wait", for: `${unready.name} to be ready` };
  const uninformed = members.find(({ current, informed }) => current && !informed);
  if (uninformed !== undefined) return { do: "wait", for: `${uninformed.name} to read its new settings` };
  const replicas = members.filter(({ role }) => role === "replica");
  const outdated = replicas.findLast(({ current }) => !current);
  if (outdated !== undefined) return { do: "replace", member: outdated.name };
  const pending = replicas.findLast(({ pendingRestart }) => pendingRestart);
  if (pending !== undefined) return { do: "restart", member: pending.name };
  const primary = members.find(({ role }) => role === "primary");
  if (primary === undefined) return { do: "wait", for: "a primary" };
  if (primary.current && !primary.pendingRestart) return { do: "nothing" };
  // Alone it has nobody to give the lock to, and a restart is all there is.
  if (replicas.length > 0) return { do: "switch over", member: primary.name };
  return { do: primary.current ? "restart" : "replace", member: primary.name };
}
