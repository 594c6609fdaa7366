// Series that are computed once, for alerts and dashboards alike. Those of service levels: slo.ts.
import type { RuleSettings } from "./ruleSettings";
import type { RecordingRule, RuleGroup } from "./rulesFile";

/** Bytes of a volume below which applications may only read: {@link guardBytes} of infra/database/agentSettings.ts, in PromQL. */
export const volumeGuard = "ms5:volume:guard_bytes";
/** Bytes that can still be written until then. */
export const volumeRoom = "ms5:volume:room_bytes";
/** As the last day went; ten years stand for "not in sight". */
export const daysUntilFull = "ms5:volume:days_until_full";

const tenYears = 3650;

export const volumeRecords: RuleGroup = {
  name: "volumes-recorded",
  rules: [
    {
      record: volumeGuard,
      expr: "sum by (pod, volume) (clamp(ms5_volume_size_bytes / 20, 64 * 2^20, 4096 * 2^20))",
    },
    {
      record: volumeRoom,
      expr: `sum by (pod, volume) (ms5_volume_free_bytes) - ${volumeGuard}`,
    },
    {
      record: daysUntilFull,
      // A day: retention and the columnstore give space back once in it. Shrinking or still is the smallest rate, not a
      // division by nothing.
      expr: `clamp(${volumeRoom} / clamp_min(-deriv(${volumeRoom}[1d]), 0.001) / 86400, 0, ${tenYears})`,
    },
  ],
};

/** What the config says of costs, as series: dashboards show them beside what is used. */
export function costRecords(cost: NonNullable<RuleSettings["cost"]>): RuleGroup {
  const { estimate, budget } = cost;
  const constant = (record: string, value: number): RecordingRule => ({ record, expr: `vector(${value})` });
  return {
    name: "cost-recorded",
    rules: [
      constant("ms5_monthly_cost_estimate_dollars", estimate),
      ...(budget === undefined ? [] : [constant("ms5_monthly_budget_dollars", budget)]),
    ],
  };
}
