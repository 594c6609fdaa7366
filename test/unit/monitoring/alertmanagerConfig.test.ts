import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderAlertmanagerConfig } from "../../../infra/monitoring/alertmanagerConfig";
import type { NotifySettings } from "../../../infra/monitoring/settings";

const nobody: NotifySettings = { webhook: undefined, teams: undefined, email: undefined, warnings: true };
const config = (notify: Partial<NotifySettings> = {}) =>
  parse(renderAlertmanagerConfig({ ...nobody, ...notify }));
const receiver = (name: string, notify: Partial<NotifySettings> = {}) =>
  config(notify).receivers.find((one: { name: string }) => one.name === name);

describe("who is told", () => {
  it("is each receiver of the config, whose secrets stand in files", () => {
    const notify: Partial<NotifySettings> = {
      webhook: "https://hooks.example/SECRET",
      teams: "https://teams.example/SECRET",
      email: {
        to: "oncall@factory.example",
        by: {
          from: "ms5@factory.example",
          server: "mail.factory.example:587",
          login: { user: "ms5", password: "SECRET" },
          addresses: ["10.0.0.25/32"],
        },
      },
    };
    expect(receiver("people", notify)).toEqual({
      name: "people",
      webhook_configs: [{ url_file: "/secrets/webhook-url", send_resolved: true }],
      msteamsv2_configs: [{ webhook_url_file: "/secrets/teams-url", send_resolved: true }],
      email_configs: [
        {
          to: "oncall@factory.example",
          from: "ms5@factory.example",
          smarthost: "mail.factory.example:587",
          require_tls: true,
          send_resolved: true,
          auth_username: "ms5",
          auth_password_file: "/secrets/mail-password",
        },
      ],
    });
    expect(renderAlertmanagerConfig({ ...nobody, ...notify })).not.toContain("SECRET");
  });

  it("is nobody where the config has no receiver, and Alertmanager still starts", () => {
    expect(receiver("people")).toEqual({ name: "people" });
    expect(receiver("heartbeat")).toEqual({ name: "heartbeat" });
  });

  it("hears of warnings once a day, or not at all", () => {
    const warning = (warnings: boolean) =>
      config({ warnings }).route.routes.find(({ matchers }: { matchers: string[] }) =>
        matchers.includes('severity="warning"'),
      );
    expect(warning(true)).toMatchObject({ receiver: "people", repeat_interval: "24h" });
    expect(warning(false)).toMatchObject({ receiver: "nobody" });
  });

  it("gets one message for all members, and again after four hours", () => {
    expect(config().route).toMatchObject({ group_by: ["alertname", "stack"], repeat_interval: "4h" });
  });
});

describe("what is left out", () => {
  it("is what follows from something that was told, and never what wakes somebody for another reason", () => {
    const rules = config().inhibit_rules as { source_matchers: string[]; target_matchers: string[] }[];
    for (const { target_matchers, source_matchers } of rules) {
      const hidesAll = target_matchers.every((matcher) => matcher.startsWith("alertname!~"));
      expect(hidesAll, source_matchers.join()).toBe(false);
    }
  });
});
