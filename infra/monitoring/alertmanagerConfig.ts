// Who is told of what, when: alertmanager.yml, purely. URLs and passwords stand in files beside it.
import { stringify } from "yaml";
import type { NotifySettings } from "./settings";

/** Where things are in Alertmanager's pod. */
export const alertmanagerPaths = {
  config: "/etc/alertmanager/config",
  secrets: "/secrets",
  data: "/alertmanager",
} as const;

/** Files with secrets, by receiver. */
export const notifySecrets = { webhook: "webhook-url", teams: "teams-url", email: "mail-password" } as const;

export function renderAlertmanagerConfig(notify: NotifySettings): string {
  return stringify(
    {
      route: {
        // Whoever is woken reads one message, not one for each member.
        group_by: ["alertname", "stack"],
        group_wait: "10s",
        group_interval: "5m",
        repeat_interval: "4h",
        receiver: "people",
        routes: [
          // It always fires: a receiver that hears nothing any more knows that nobody watches.
          {
            matchers: ['alertname="Watchdog"'],
            receiver: "heartbeat",
            repeat_interval: "5m",
            group_interval: "1m",
          },
          {
            matchers: ['severity="warning"'],
            receiver: notify.warnings ? "people" : "nobody",
            // By day is soon enough.
            group_wait: "5m",
            repeat_interval: "24h",
          },
        ],
      },
      inhibit_rules: inhibitions,
      receivers: [
        { name: "nobody" },
        { name: "people", ...receivers(notify) },
        { name: "heartbeat", ...(notify.webhook !== undefined && { webhook_configs: [webhook()] }) },
      ],
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

/** What follows from something that is told already would only hide it. */
const inhibitions = [
  // Of two with one name the one that wakes is enough.
  {
    source_matchers: ['severity="critical"'],
    target_matchers: ['severity="warning"'],
    equal: ["alertname", "stack"],
  },
  {
    source_matchers: ['alertname="NoPrimary"'],
    target_matchers: [
      'alertname=~"ReplicaNotStreaming|ReplicaLagging|ProbeAbsent|CollectorFailing|PolicyJob.*|Aggregate.*"',
    ],
    equal: ["stack"],
  },
  {
    source_matchers: ['alertname="TargetsAbsent"'],
    target_matchers: ['alertname!~"TargetsAbsent|Watchdog"', 'severity="warning"'],
    equal: ["stack"],
  },
];

const webhook = () => ({
  url_file: `${alertmanagerPaths.secrets}/${notifySecrets.webhook}`,
  send_resolved: true,
});

function receivers({ webhook: url, teams, email }: NotifySettings): object {
  return {
    ...(url !== undefined && { webhook_configs: [webhook()] }),
    ...(teams !== undefined && {
      msteamsv2_configs: [
        { webhook_url_file: `${alertmanagerPaths.secrets}/${notifySecrets.teams}`, send_resolved: true },
      ],
    }),
    ...(email?.by !== undefined && {
      email_configs: [
        {
          to: email.to,
          from: email.by.from,
          smarthost: email.by.server,
          require_tls: true,
          send_resolved: true,
          ...(email.by.login && {
            auth_username: email.by.login.user,
            auth_password_file: `${alertmanagerPaths.secrets}/${notifySecrets.email}`,
          }),
        },
      ],
    }),
  };
}
