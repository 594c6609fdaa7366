// What each environment consists of, in one readable file for reviewers: test/stack/golden/*.yaml. The real engine's own
// preview, against nothing: `npx vitest run --project integration test/stack/golden.test.ts -u` writes them again.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { mask } from "../../ops/engine/events";
import { azureProblems } from "../support/azureSchema";
import type { Overrides } from "../support/commandStack";
import { goldenText } from "../support/goldenStack";
import { nowhere } from "../support/nowhere";
import { previewed } from "../support/previewed";

// Budgets begin with this month, and versions of AKS are supported until some day.
beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-21T12:00:00Z") });
});
afterAll(() => {
  vi.useRealTimers();
});

function nowhereFile(): string {
  const file = join(mkdtempSync(join(tmpdir(), "ms5-golden-")), "kubeconfig");
  writeFileSync(file, nowhere);
  return file;
}

/** Somebody is told: without anybody, a preview warns. */
const told: Overrides = { MS5_MONITORING_NOTIFY_WEBHOOK: "https://alerts.example/secret" };

const config: Readonly<Record<string, Overrides>> = {
  dev: told,
  staging: told,
  prod: told,
  cluster: {
    ...told,
    MS5_KUBERNETES_KUBECONFIG: nowhereFile(),
    MS5_KUBERNETES_CONTEXT: "nowhere",
    // Otherwise asked of the cluster.
    MS5_KUBERNETES_API_SERVER: "10.0.0.1:6443",
    MS5_BACKUPS_STORAGE_ACCOUNT: "factory",
    MS5_BACKUPS_STORAGE_ADDRESSES: "10.0.0.9/32",
    MS5_BACKUPS_STORAGE_KEY: "sv=2026-10-06&sig=secret",
  },
};

const preview = (name: string, overrides?: Overrides) => previewed(name, config[name], overrides);

const golden = new Map<string, string>();

describe("stack", () => {
  it.each(["local", "cluster", "dev", "staging", "prod"])(
    "%s reads as reviewed, and is what Azure takes",
    async (stack) => {
      const resources = await preview(stack);
      const text = goldenText(stack, resources);
      golden.set(stack, text);
      await expect(text).toMatchFileSnapshot(`golden/${stack}.yaml`);
      const wrong = resources
        .filter(({ type }) => type.startsWith("azure-native:"))
        .flatMap(({ type, name, inputs }) =>
          azureProblems(type, mask(inputs) as Record<string, unknown>).map((problem) => ({
            type,
            name,
            ...problem,
          })),
        );
      expect(wrong).toEqual([]);
    },
  );
});

describe("a change of one config value", () => {
  /** Lines that are in one of two texts only, as a reviewer sees them. */
  function difference(before: string, after: string): string[] {
    const only = (text: string, other: string, sign: string) => {
      const known = new Map<string, number>();
      for (const line of other.split("\n")) known.set(line, (known.get(line) ?? 0) + 1);
      return text.split("\n").flatMap((line) => {
        const left = known.get(line) ?? 0;
        known.set(line, left - 1);
        return left > 0 ? [] : [`${sign} ${line.trim()}`];
      });
    };
    return [...only(before, after, "-"), ...only(after, before, "+")];
  }

  it("changes its lines and no other", async () => {
    const text = goldenText(
      "prod",
      await preview("prod", {
        MS5_AZURE_LOGS_RETENTION_DAYS: "180",
        MS5_TIMESCALEDB_TABLES_METRIC_HIST_RETENTION: "120 days",
      }),
    );
    expect(difference(golden.get("prod") ?? "", text)).toEqual([
      "- retentionInDays: 90",
      expect.stringMatching(/^- ms5\.io\/start: /),
      // What it costs a month, which alerts compare with the budget: more logs are kept.
      expect.stringMatching(/^- expr: vector\(\d+\)$/),
      "- dropAfter: 90 days",
      "+ retentionInDays: 180",
      expect.stringMatching(/^\+ ms5\.io\/start: /),
      expect.stringMatching(/^\+ expr: vector\(\d+\)$/),
      "+ dropAfter: 120 days",
    ]);
  });
});
