// The azure-native stand-in on the real engine: previews without Azure, and nothing but previews.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import {
  listManagedClusterUserCredentialsOutput,
  ManagedCluster,
  type ManagedClusterArgs,
} from "@pulumi/azure-native/containerservice";
import { Secret } from "@pulumi/azure-native/keyvault";
import { VirtualNetwork } from "@pulumi/azure-native/network";
import { version } from "@pulumi/azure-native/package.json";
import { ResourceGroup, type ResourceGroupArgs } from "@pulumi/azure-native/resources";
import { StorageAccount, type StorageAccountArgs } from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import { type EngineEvent, LocalWorkspace, Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPulumi } from "../../ops/engine/cli";
import { mask } from "../../ops/engine/events";
import type { Operation } from "../../ops/engine/stack";
import { azureProblems } from "../support/azureSchema";
import { silent } from "../support/embedded";
import { Sandbox } from "./support/sandbox";
import { StandInStack } from "./support/standInStack";

const group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/ms5-test";

const inputs = {
  group: { resourceGroupName: "ms5-test", location: "westeurope" },
  backups: {
    resourceGroupName: "ms5-test",
    accountName: "ms5testbackups",
    location: "westeurope",
    kind: "StorageV2",
    sku: { name: "Standard_ZRS" },
  },
  cluster: {
    resourceGroupName: "ms5-test",
    resourceName: "ms5-test",
    location: "westeurope",
    dnsPrefix: "ms5",
    kubernetesVersion: "1.33",
    oidcIssuerProfile: { enabled: true },
  },
};

interface Changes {
  readonly group?: Partial<ResourceGroupArgs>;
  readonly backups?: Partial<StorageAccountArgs>;
  readonly cluster?: Partial<ManagedClusterArgs>;
}

const program =
  (changes: Changes = {}): pulumi.automation.PulumiFn =>
  async () => {
    const made = new ResourceGroup("group", { ...inputs.group, ...changes.group });
    const within = { resourceGroupName: made.name };
    const backups = new StorageAccount("backups", { ...inputs.backups, ...within, ...changes.backups });
    const cluster = new ManagedCluster("cluster", { ...inputs.cluster, ...within, ...changes.cluster });
    const network = VirtualNetwork.get(
      "network",
      `${group}/providers/Microsoft.Network/virtualNetworks/shared`,
    );
    return {
      group: made.name,
      account: backups.kind,
      endpoint: backups.primaryEndpoints.blob,
      issuer: cluster.oidcIssuerProfile.apply((profile) => profile?.issuerURL),
      network: network.name,
      addresses: network.addressSpace,
    };
  };

const box = new Sandbox();
const environment = { ...process.env };

// Also where the official plugin could be had: it would want a login.
beforeAll(async () => {
  const { command } = await findPulumi({ log: silent });
  const cache = join(box.folder, "cache");
  mkdirSync(cache);
  const failed = { [`azure-native ${version}`]: Date.now() };
  writeFileSync(join(cache, "plugin-failures.json"), JSON.stringify(failed));
  process.env.PATH = [dirname(command.command), process.env.PATH].join(delimiter);
  process.env.MS5_CACHE_DIR = cache;
});
afterAll(() => {
  process.env.PATH = environment.PATH;
  if (environment.MS5_CACHE_DIR === undefined) delete process.env.MS5_CACHE_DIR;
  else process.env.MS5_CACHE_DIR = environment.MS5_CACHE_DIR;
  box.remove();
});

async function run(operation: Operation, fn: pulumi.automation.PulumiFn = program()) {
  const steps = new Map<string, NonNullable<EngineEvent["resOutputsEvent"]>["metadata"]>();
  const onEvent = (_: unknown, { resOutputsEvent }: EngineEvent): void => {
    const metadata = resOutputsEvent?.metadata;
    if (metadata?.type.startsWith("azure-native:")) {
      steps.set(metadata.urn.split("::").at(-1) ?? "", metadata);
    }
  };
  const result = await box.run(operation, {}, { program: fn, providers: ["azure-native"], onEvent });
  return { ...result, steps };
}

/** The stack as an up with the official plugin would have left it. */
async function deployed(): Promise<void> {
  const { command } = await findPulumi({ log: silent });
  const workspace = await LocalWorkspace.create({
    workDir: join(box.place.local, "engine"),
    pulumiCommand: command,
    envVars: {
      PULUMI_BACKEND_URL: `file://${join(box.place.local, "state")}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: join(box.place.local, "passphrase"),
    },
  });
  const stack = await Stack.createOrSelect("test", workspace);
  const urn = (type: string, name: string) => `urn:pulumi:test::ms5-timescale::${type}::${name}`;
  const parent = urn("pulumi:pulumi:Stack", "ms5-timescale-test");
  const plugin = "pulumi:providers:azure-native";
  const provider = { urn: urn(plugin, `default_${version.replaceAll(".", "_")}`), id: "11111111-1111" };
  const resource = (type: string, name: string, id: string, given: object, outputs: object) => ({
    urn: urn(type, name),
    custom: true,
    id,
    type,
    parent,
    provider: `${provider.urn}::${provider.id}`,
    inputs: given,
    outputs: { ...given, ...outputs },
  });
  const dated = (date: string) => ({ azureApiVersion: date });
  const exported = await stack.exportStack();
  const resources = [
    { urn: parent, custom: false, type: "pulumi:pulumi:Stack" },
    { ...provider, custom: true, type: plugin, inputs: { version }, outputs: { version } },
    resource(
      "azure-native:resources:ResourceGroup",
      "group",
      group,
      { ...inputs.group, ...dated("2024-03-01") },
      { name: "ms5-test" },
    ),
    resource(
      "azure-native:storage:StorageAccount",
      "backups",
      `${group}/providers/Microsoft.Storage/storageAccounts/ms5testbackups`,
      { ...inputs.backups, ...dated("2024-01-01") },
      { name: "ms5testbackups", primaryEndpoints: { blob: "https://ms5testbackups.blob.core.windows.net/" } },
    ),
    resource(
      "azure-native:containerservice:ManagedCluster",
      "cluster",
      `${group}/providers/Microsoft.ContainerService/managedClusters/ms5-test`,
      { ...inputs.cluster, ...dated("2025-09-01") },
      { name: "ms5-test", fqdn: "ms5.azmk8s.io" },
    ),
  ];
  await stack.importStack({ ...exported, deployment: { ...exported.deployment, resources } });
}

const onlyPlans = {
  message: expect.stringContaining("needs the official azure-native plugin"),
  fix: expect.stringContaining(`pulumi plugin install resource azure-native ${version}`),
  exitCode: 3,
};

describe("a stack that Azure has never seen", () => {
  it("is not brought up: nothing is begun", async () => {
    await expect(run("up")).rejects.toMatchObject(onlyPlans);
    expect(() => readFileSync(box.stateFile)).toThrow("ENOENT");
  });

  it("is previewed: names are known, and what Azure will add is not", async () => {
    const preview = await run("preview");
    expect(preview.diagnostics).toEqual([]);
    expect(preview.result).toBe("succeeded");
    expect(box.said.join("\n")).toMatch(/Stand-ins serve azure-native: .* They only plan/);
    const made = [...preview.steps.values()].map(({ op, type }) => `${op} ${type.split(":").at(-1)}`);
    expect(made.sort()).toEqual([
      "create ManagedCluster",
      "create ResourceGroup",
      "create StorageAccount",
      "read VirtualNetwork",
    ]);
    expect(preview.outputs).toEqual({
      group: "[known after up]",
      account: "StorageV2",
      endpoint: "[known after up]",
      issuer: "[known after up]",
      network: "shared",
      addresses: "[known after up]",
    });
    expect(mask(preview.steps.get("cluster")?.new?.inputs)).toEqual({
      ...inputs.cluster,
      resourceGroupName: "[known after up]",
      azureApiVersion: "2025-09-01",
    });
    expect(preview.steps.get("cluster")?.new?.id).toBe("");
  });

  it("has inputs that the package's types take", async () => {
    const { steps } = await run(
      "preview",
      program({ cluster: { kubernetesVersion: pulumi.secret("1.34") } }),
    );
    const found = [...steps.values()]
      .filter(({ op }) => op === "create")
      .map((step) => azureProblems(step.type, mask(step.new?.inputs) as Record<string, unknown>));
    expect(found).toEqual([[], [], []]);
    expect(mask(steps.get("cluster")?.new?.inputs)).toMatchObject({ kubernetesVersion: "[secret]" });
    expect(mask(steps.get("cluster")?.new?.outputs)).toMatchObject({ kubernetesVersion: "[secret]" });
  });

  it("keeps secrets within an object closed", async () => {
    const { steps } = await run("preview", async () => {
      const properties = { value: pulumi.secret("hunter2") };
      new Secret("secret", { resourceGroupName: "ms5-test", vaultName: "ms5-test", properties });
    });
    const { inputs: given, outputs } = steps.get("secret")?.new ?? {};
    expect(JSON.stringify([given, outputs])).not.toContain("hunter2");
    expect(mask(given)).toMatchObject({ secretName: "secret", properties: { value: "[secret]" } });
  });

  it("asks for credentials of a cluster only once there is one", async () => {
    const { diagnostics, outputs } = await run("preview", async () => {
      const cluster = new ManagedCluster("cluster", inputs.cluster);
      const { kubeconfigs } = listManagedClusterUserCredentialsOutput({
        resourceGroupName: "ms5-test",
        resourceName: cluster.name,
      });
      return { kubeconfigs };
    });
    expect(diagnostics).toEqual([]);
    expect(outputs).toEqual({ kubeconfigs: "[known after up]" });
  });

  it("asks for nothing whose question depends on what only Azure knows", async () => {
    const { diagnostics, outputs } = await run("preview", async () => {
      const id = `${group}/providers/Microsoft.ContainerService/managedClusters/shared`;
      const cluster = ManagedCluster.get("cluster", id);
      // Known to the official plugin, which has read the cluster.
      const resourceName = pulumi.all([cluster.name, cluster.fqdn]).apply(([name]) => name);
      return {
        answer: listManagedClusterUserCredentialsOutput({ resourceGroupName: "ms5-test", resourceName }),
      };
    });
    expect(diagnostics).toEqual([]);
    expect(outputs).toEqual({ answer: "[known after up]" });
  });

  it("cannot ask Azure anything else, and says so", async () => {
    const { result, diagnostics } = await run("preview", async () => {
      const resourceName = "there-already";
      return { answer: listManagedClusterUserCredentialsOutput({ resourceGroupName: "ms5", resourceName }) };
    });
    expect(result).toBe("failed");
    const said = diagnostics.map(({ message }) => message).join("\n");
    expect(said).toContain("listManagedClusterUserCredentials asks Azure, and a stand-in that only plans");
    expect(said).toContain("take from the config what it would answer");
  });

  it("refuses an id that is none", async () => {
    const { diagnostics } = await run("preview", async () => {
      VirtualNetwork.get("network", "shared");
    });
    expect(diagnostics.map(({ message }) => message).join()).toContain(
      'network: "shared" is not the id of an Azure resource',
    );
  });
});

describe("a stack that the official plugin has deployed", () => {
  beforeAll(deployed);

  it("stays as it is when the program asks for what is there", async () => {
    const { changes, resources, outputs } = await run("preview");
    expect(changes.filter(({ op }) => op !== "create")).toEqual([]);
    expect(resources).toMatchObject({ updated: 0, replaced: 0, deleted: 0, unchanged: 4 });
    expect(outputs.endpoint).toBe("https://ms5testbackups.blob.core.windows.net/");
  });

  it("shows what is updated, and what has to be made anew", async () => {
    const { changes, outputs } = await run(
      "preview",
      program({
        backups: { isHnsEnabled: true },
        cluster: { kubernetesVersion: "1.34", location: "West Europe" },
      }),
    );
    const told = changes.map(({ op, name, diff }) => [op, name, diff]);
    expect(told).toContainEqual(["replace", "backups", [{ property: "isHnsEnabled", after: true }]]);
    expect(told).toContainEqual([
      "update",
      "cluster",
      expect.arrayContaining([{ property: "kubernetesVersion", before: "1.33", after: "1.34" }]),
    ]);
    // Of what is only updated, the name can't change; what Azure adds can.
    expect(outputs).toMatchObject({ group: "ms5-test", issuer: "[known after up]" });
  });

  it("is previewed away", async () => {
    const { changes } = await run("preview", async () => ({}));
    expect(changes.map(({ op, name }) => `${op} ${name}`).sort()).toEqual([
      "delete backups",
      "delete cluster",
      "delete group",
    ]);
  });

  it.each(["up", "refresh", "destroy"] as const)("is not touched by %s", async (operation) => {
    const before = readFileSync(box.stateFile, "utf8");
    await expect(run(operation)).rejects.toMatchObject(onlyPlans);
    expect(readFileSync(box.stateFile, "utf8")).toBe(before);
  });

  it("would be left alone by the stand-in itself", async () => {
    const stack = await StandInStack.start(["azure-native"]);
    try {
      await expect(stack.run("up", program())).rejects.toThrow(
        "group cannot be created: a stand-in that only plans serves azure-native here",
      );
    } finally {
      await stack.stop();
    }
  });
});

describe("a stack with nothing in Azure", () => {
  it("can be destroyed without the plugin", async () => {
    rmSync(join(box.place.local, "state"), { recursive: true });
    expect((await run("destroy")).result).toBe("succeeded");
  });
});
