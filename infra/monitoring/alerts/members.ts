// What alerts ask of the members of the database, as expressions of PromQL.

/** One sample while Prometheus gets an answer from at least one member, none otherwise. */
export const anyMemberAnswers = 'count(up{job="member"} == 1)';

/**
 * `expr`, while at least one member answers. A database that is stopped, every night for example, tells nothing of itself;
 * that it is gone is what {@link targetAlerts} say, once.
 */
export function whileItRuns(expr: string): string {
  return `(${expr})\n  and on () ${anyMemberAnswers}`;
}

/** One sample where another member has become the primary within that time (`15m`): each promotion begins a new timeline. */
export function newTimeline(within: string): string {
  return `max(ms5_member_timeline) > min_over_time(max(ms5_member_timeline)[${within}:30s])`;
}
