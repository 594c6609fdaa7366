// What it costs, and what of that is not used: where money can be saved, and where the next larger size is near.
import { BytesIEC, Days, Dollars, PercentUnit, Seconds, Short } from "@grafana/grafana-foundation-sdk/units";
import type { Page, Row } from "./page";
import { lines, stat } from "./panel";
import { budgetShare, columnstoreSaved, howMany } from "./queries";
import { neutral, redFrom, worseAbove, worseBelow } from "./thresholds";

export function cost(): Page {
  return {
    name: "cost",
    about:
      "For whoever pays: what a month is estimated to cost, what of it is used, what the columnstore saves, and what watching costs.",
    refresh: 30,
    range: "30d",
    variables: [],
    rows: [money, stored, machines, watching],
  };
}

const money: Row = {
  title: "Money",
  panels: [
    stat({
      title: "Estimate of a month",
      means:
        "What a month of this stack costs by list prices, as `npm run ops -- cost` estimates it. Traffic and discounts are not in it.",
      worry: "Nothing by itself: the bill is the truth, and the budget's alert of Azure reads that.",
      unit: Dollars,
      steps: neutral,
      needs: "cost",
      queries: [{ expr: "max(ms5_monthly_cost_estimate_dollars)" }],
      width: 6,
      decimals: 0,
    }),
    stat({
      title: "Budget of a month",
      means: "What the config allows (azure.budget).",
      worry: "Nothing by itself.",
      unit: Dollars,
      steps: neutral,
      needs: "budget",
      queries: [{ expr: "max(ms5_monthly_budget_dollars)" }],
      width: 6,
      decimals: 0,
    }),
    stat({
      title: "Cost of budget",
      means: "The estimate as a share of the budget.",
      worry: "Above 90 %: the next larger node or volume breaks it.",
      unit: PercentUnit,
      steps: worseAbove(0.9, 1),
      needs: "budget",
      queries: [{ expr: budgetShare }],
      width: 6,
    }),
    stat({
      title: "Cost of a stored gigabyte",
      means:
        "A month's estimate for each gigabyte of telemetry, had it all stayed in rows: the whole stack, not only its disks.",
      worry: "It should fall while data grows. Rising: the stack grew faster than its data.",
      unit: Dollars,
      steps: neutral,
      needs: "cost",
      queries: [
        {
          expr: `max(ms5_monthly_cost_estimate_dollars) / (
  (
    max(timescaledb_database_size_bytes)
    + (sum(max by (hypertable) (timescaledb_columnstore_before_bytes)) or vector(0))
    - (sum(max by (hypertable) (timescaledb_columnstore_after_bytes)) or vector(0))
  ) / 1e9)`,
        },
      ],
      width: 6,
      decimals: 2,
    }),
  ],
};

const stored: Row = {
  title: "What is stored",
  panels: [
    stat({
      title: "Saved by the columnstore",
      means: "Bytes that the columnstore saves: they are on no disk, in no replica and in no backup.",
      worry: "Nothing by itself.",
      unit: BytesIEC,
      steps: neutral,
      needs: "community",
      queries: [
        {
          expr: "sum(max by (hypertable) (timescaledb_columnstore_before_bytes)) - sum(max by (hypertable) (timescaledb_columnstore_after_bytes))",
        },
      ],
      width: 6,
      more: "timescaledb",
    }),
    stat({
      title: "Saved, as a share",
      means: "Share of bytes that the columnstore saves of all it holds; 0 where it holds nothing.",
      worry: "Below 50 % where much is held: `npm run ops -- advise` may find better settings.",
      unit: PercentUnit,
      steps: neutral,
      needs: "community",
      queries: [{ expr: columnstoreSaved }],
      width: 6,
      more: "timescaledb",
    }),
    stat({
      title: "Paid for and empty",
      means: "Bytes of the members' volumes that are free. Volumes cannot be made smaller.",
      worry: "Most of it, for a year: the next stack can be made smaller.",
      unit: BytesIEC,
      steps: neutral,
      queries: [{ expr: "sum(max by (pod, volume) (ms5_volume_free_bytes))" }],
      width: 6,
    }),
    stat({
      title: "Days until the next size",
      means: "Days until the first volume is full and has to be made larger, which costs more from then on.",
      worry: "Less than a month: plan for it.",
      unit: Days,
      steps: worseBelow(30, 7),
      queries: [{ expr: "min(ms5:volume:days_until_full)" }],
      width: 6,
      decimals: 0,
      read: "runbooks/disk-filling.md",
    }),
    lines({
      title: "Database on disk",
      means: "Bytes of the database on one member. Each member has them, and backups once more.",
      worry: "It grows faster than telemetry does: retention or the columnstore fails.",
      unit: BytesIEC,
      steps: neutral,
      queries: [{ expr: "max(timescaledb_database_size_bytes)", legend: "database" }],
      width: 8,
      more: "timescaledb",
    }),
    lines({
      title: "Log made in a day",
      means:
        "Bytes of log (WAL) that a day makes at this rate: what replicas get over the network and the archive keeps.",
      worry: "Many times what telemetry brings: updates, or full pages after too frequent checkpoints.",
      unit: BytesIEC,
      steps: neutral,
      queries: [{ expr: "max(rate(timescaledb_wal_bytes_total[1h])) * 86400", legend: "a day" }],
      width: 8,
      more: "backups",
    }),
    lines({
      title: "Added by a backup",
      means: "Bytes that the newest backups added to what is paid for as storage.",
      worry: "It grows while the database does not.",
      unit: BytesIEC,
      steps: neutral,
      needs: "backups",
      queries: [{ expr: "max by (type) (ms5_backup_last_bytes)", legend: "{{type}}" }],
      width: 8,
      more: "backups",
    }),
  ],
};

const machines: Row = {
  title: "Machines: what is paid for and what is used",
  panels: [
    lines({
      title: "Processors in use",
      means: "Share of each node's processors that was busy.",
      worry: "Below 10 % for weeks: a smaller size does. Above 80 % for hours: the next larger one is near.",
      unit: PercentUnit,
      steps: worseAbove(0.8, 0.95),
      queries: [
        {
          expr: '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))',
          legend: "{{instance}}",
        },
      ],
      width: 8,
      max: 1,
    }),
    lines({
      title: "Memory in use",
      means:
        "Share of each node's memory that is not free for the asking; files that are only cached count as free.",
      worry: "Above 90 %: the kernel ends somebody next.",
      unit: PercentUnit,
      steps: worseAbove(0.8, 0.9),
      queries: [
        {
          expr: "1 - max by (instance) (node_memory_MemAvailable_bytes) / max by (instance) (node_memory_MemTotal_bytes)",
          legend: "{{instance}}",
        },
      ],
      width: 8,
      max: 1,
    }),
    lines({
      title: "Disks busy",
      means: "Share of the time in which each node's busiest disk had something to do.",
      worry: "Near 100 % together with slow writes: a faster disk, or fewer small transactions.",
      unit: PercentUnit,
      steps: worseAbove(0.8, 0.95),
      queries: [
        {
          expr: "max by (instance) (rate(node_disk_io_time_seconds_total[$__rate_interval]))",
          legend: "{{instance}}",
        },
      ],
      width: 8,
      max: 1,
    }),
  ],
};

const watching: Row = {
  title: "What watching costs",
  panels: [
    stat({
      title: "Series",
      means:
        "Series that Prometheus holds. Their number depends on hypertables, jobs, members and nodes, and on no row or client.",
      worry: "Above 50,000: something has a label with too many values.",
      unit: Short,
      steps: worseAbove(20_000, 50_000),
      queries: [{ expr: "max(prometheus_tsdb_head_series)" }],
      width: 6,
      needs: "ownPrometheus",
    }),
    stat({
      title: "Samples kept",
      means: "Bytes of Prometheus' volume that samples use.",
      worry: "Near the size of the volume the oldest go earlier than the config says.",
      unit: BytesIEC,
      steps: neutral,
      queries: [
        {
          expr: "max(prometheus_tsdb_storage_blocks_bytes) + max(prometheus_tsdb_wal_storage_size_bytes)",
        },
      ],
      width: 6,
      needs: "ownPrometheus",
    }),
    stat({
      title: "Database's time for a scrape",
      means: "Seconds that all collectors of the TimescaleDB exporter took together in their last scrape.",
      worry: "Above 2: scrapes get in the way of work, and fail at 8.",
      unit: Seconds,
      steps: worseAbove(2, 5),
      queries: [{ expr: "sum(max by (collector) (timescaledb_exporter_collect_seconds))" }],
      width: 6,
    }),
    stat({
      title: "Collectors that fail",
      means: "Parts of the TimescaleDB exporter that could not tell in their last scrape.",
      worry: "Any: panels that need it show that nobody tells.",
      unit: Short,
      steps: redFrom(1),
      queries: [{ expr: howMany("max by (collector) (timescaledb_exporter_collect_success) == bool 0") }],
      width: 6,
    }),
    lines({
      title: "Duration of scrapes",
      means: "How long each job's slowest scrape took.",
      worry: "Near 10 s: Prometheus gives up, and there are gaps.",
      unit: Seconds,
      steps: worseAbove(5, 9),
      queries: [{ expr: "max by (job) (scrape_duration_seconds)", legend: "{{job}}" }],
      width: 12,
    }),
    lines({
      title: "Samples of a scrape",
      means: "Samples that each job's largest target tells. More than 5,000 are refused.",
      worry: "It grows without a new hypertable, job or node: a label has too many values.",
      unit: Short,
      steps: worseAbove(2500, 5000),
      queries: [{ expr: "max by (job) (scrape_samples_scraped)", legend: "{{job}}" }],
      width: 12,
    }),
  ],
};
