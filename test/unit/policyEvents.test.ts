import type { EngineEvent } from "@pulumi/pulumi/automation";
import { describe, expect, it } from "vitest";
import { emptyRun, reduceEvent } from "../../ops/engine/events";

function violation(enforcementLevel: string, resourceUrn?: string): EngineEvent {
  const policyEvent = {
    ...(resourceUrn === undefined ? {} : { resourceUrn }),
    message: "<{%reset%}>minimumTlsVersion is not set: set it to TLS1_2\n",
    color: "never",
    policyName: "tls",
    policyPackName: "ms5-timescale",
    policyPackVersion: "0.1.0",
    policyPackVersionTag: "0.1.0",
    // The published type says "warning", the engine "advisory".
    enforcementLevel: enforcementLevel as "mandatory",
  };
  return { sequence: 0, timestamp: 0, policyEvent };
}

const urn = "urn:pulumi:prod::ms5::azure-native:storage:StorageAccount::backups";
const message = "minimumTlsVersion is not set: set it to TLS1_2 (policy tls)";

describe("a policy violation", () => {
  it("is an error that names the resource and the policy, when the policy is mandatory", () => {
    expect(reduceEvent(emptyRun("preview"), violation("mandatory", urn)).diagnostics).toEqual([
      { severity: "error", resource: "backups", policy: "tls", message },
    ]);
  });

  it("is a warning when it is advisory", () => {
    expect(reduceEvent(emptyRun("preview"), violation("advisory", urn)).diagnostics).toEqual([
      { severity: "warning", resource: "backups", policy: "tls", message },
    ]);
  });

  it("of no resource in particular names none", () => {
    const [diagnostic] = reduceEvent(emptyRun("preview"), violation("mandatory")).diagnostics;
    expect(diagnostic).not.toHaveProperty("resource");
  });
});
