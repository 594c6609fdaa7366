// What the agents of a healthy cluster of three tell at :8009/metrics, for tests without one: infra/database/agent's
// member_metrics.py, backups.py and drills.py. Served on loopback, one path a pod.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const GiB = 2 ** 30;
const day = 86_400;

type Line = readonly [name: string, labels: Readonly<Record<string, string>>, value: number];

export interface MemberMetrics {
  /** `127.0.0.1:PORT`; the pod's name is the path. */
  readonly address: string;
  readonly pods: readonly string[];
  stop(): Promise<void>;
}

/** `blue-0` is the primary. */
export async function serveMemberMetrics(): Promise<MemberMetrics> {
  const pods = ["blue-0", "blue-1", "blue-2"];
  const server = createServer((request, response) => {
    const pod = request.url?.slice(1) ?? "";
    if (pods.includes(pod))
      response.setHeader("content-type", "text/plain; version=0.0.4").end(metricsOf(pod === "blue-0"));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    pods,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function metricsOf(primary: boolean): string {
  const now = Date.now() / 1000;
  return render([...member(primary, now), ...(primary ? [...backups(now), ...drills(now)] : [])]);
}

function member(primary: boolean, now: number): Line[] {
  const volume = (name: string, size: number, free: number): Line[] => [
    ["ms5_volume_size_bytes", { volume: name }, size],
    ["ms5_volume_free_bytes", { volume: name }, free],
  ];
  return [
    ["ms5_member_running", {}, 1],
    ["ms5_member_primary", {}, Number(primary)],
    ["ms5_member_timeline", {}, 4],
    ...(primary
      ? ([["ms5_cluster_synchronous_standbys", {}, 2]] as const)
      : ([
          ["ms5_member_streaming", {}, 1],
          ["ms5_member_lag_seconds", {}, 0],
          ["ms5_member_lag_bytes", {}, 0],
        ] as const)),
    ["ms5_cluster_members", {}, 3],
    // It fills slowly.
    ...volume("data", 100 * GiB, 60 * GiB - Math.round((now % day) * 1000)),
    ...volume("wal", 20 * GiB, 19 * GiB),
    ...["server", "robot", "ca"].map(
      (certificate): Line => ["ms5_certificate_expiry_timestamp_seconds", { certificate }, now + 60 * day],
    ),
  ];
}

function backups(now: number): Line[] {
  const repository = { repository: "1" };
  return [
    ["ms5_archive_waiting_segments", {}, 1],
    ["ms5_archive_waiting_bytes", {}, 4 * 2 ** 20],
    ["ms5_archive_queue_limit_bytes", {}, 16 * GiB],
    ["ms5_archive_gap", {}, 0],
    ["ms5_backup_age_limit_seconds", {}, 13 * 3600],
    ["ms5_backup_repository_up", repository, 1],
    ...(["full", "any"] as const).flatMap((type): Line[] => [
      [
        "ms5_backup_last_completed_timestamp_seconds",
        { ...repository, type },
        now - (type === "full" ? day : 3600),
      ],
      ["ms5_backup_last_duration_seconds", { ...repository, type }, type === "full" ? 900 : 60],
      ["ms5_backup_last_bytes", { ...repository, type }, type === "full" ? 8 * GiB : GiB / 4],
    ]),
    ["ms5_backup_earliest_restorable_timestamp_seconds", {}, now - 14 * day],
  ];
}

function drills(now: number): Line[] {
  return [
    ["ms5_backup_drill_timestamp_seconds", {}, now - 2 * day],
    ["ms5_backup_drill_passed", {}, 1],
    ["ms5_backup_drill_restore_seconds", {}, 840],
    ["ms5_backup_drill_loss_seconds", {}, 12],
    ["ms5_backup_drill_bytes", {}, 40 * GiB],
    ["ms5_backup_drill_last_passed_timestamp_seconds", {}, now - 2 * day],
  ];
}

/** As `render` of backups.py: each metric's lines together. */
function render(lines: readonly Line[]): string {
  const names = [...new Set(lines.map(([name]) => name))];
  return names
    .map((name) => {
      const told = lines
        .filter(([other]) => other === name)
        .map(([, labels, value]) => {
          const inside = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
          return `${name}{${inside.join(",")}} ${value}\n`;
        });
      return `# TYPE ${name} gauge\n${told.join("")}`;
    })
    .join("");
}
