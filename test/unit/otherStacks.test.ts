import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../infra/config";
import { otherStacks, refuseSharedNames } from "../../infra/config/otherStacks";
import { publicAzureNeeds } from "../support/azureConfig";

const folder = mkdtempSync(join(tmpdir(), "ms5-stacks-"));
afterAll(() => rmSync(folder, { recursive: true }));

const config = (stack: string) =>
  loadConfig(stack, {
    "ms5-timescale:environment": "dev",
    "ms5-timescale:azure": JSON.stringify(publicAzureNeeds),
  });

describe("stacks beside this one", () => {
  it("are read from their files, as far as they are in Azure", () => {
    writeFileSync(
      join(folder, "Pulumi.prodeu.yaml"),
      "config:\n  ms5-timescale:azure:\n    organisation: acme\n",
    );
    writeFileSync(join(folder, "Pulumi.local.yaml"), "config: {}\n");
    writeFileSync(join(folder, "Pulumi.empty.yaml"), "");
    writeFileSync(join(folder, "Pulumi.yaml"), "name: x\n");
    expect(otherStacks(folder)).toEqual([{ stack: "prodeu", organisation: "acme" }]);
  });

  it("may not want the same name", () => {
    expect(() => refuseSharedNames(config("prod-eu"), otherStacks(folder))).toThrow(
      /azure\.organisation is "acme"; makes the name "cracmems5prodeu", which stack "prodeu" has too/,
    );
    expect(() => refuseSharedNames(config("prodeu"), otherStacks(folder))).not.toThrow();
    expect(() => refuseSharedNames(config("prod-us"), otherStacks(folder))).not.toThrow();
  });
});
