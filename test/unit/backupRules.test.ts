import { describe, expect, it } from "vitest";
import { azureNames } from "../../infra/azure/names";
import { loadConfig } from "../../infra/config";
import { UserError } from "../../infra/errors";
import { azureNeeds, publicAzureNeeds } from "../support/azureConfig";

type Config = Record<string, object>;

const load = (stack: string, config: Config, env: Record<string, string> = {}) => {
  const raw = Object.entries(config).map(([key, value]) => [`ms5-timescale:${key}`, JSON.stringify(value)]);
  return loadConfig(stack, Object.fromEntries(raw), env).cluster;
};

/** What is decided of backups; the stack is one in any Kubernetes unless another is named. */
function backups(stated: object, { stack = "cluster", ...more }: { stack?: string; azure?: object } = {}) {
  const found = load(stack, { ...more, backups: stated })?.backups;
  return found ?? expect.fail("nothing is backed up");
}

const inAzure = (stated: object, azure: object = azureNeeds) => backups(stated, { stack: "prod", azure });

/** The least that has to be said. */
const storage = { account: "factory", addresses: ["10.0.0.9/32"], key: "sv=2024&sig=SECRET" };

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return `${error.message}\n${error.fix}`;
    throw error;
  }
  return expect.fail("it was taken");
}

describe("where backups go", () => {
  it("is for the config to say, where the platform makes no storage", () => {
    expect(load("cluster", {})?.backups).toBeUndefined();
    expect(load("cluster", { backups: { keepFull: 3 } })?.backups).toBeUndefined();
    expect(backups({ storage }).stores).toEqual([
      {
        account: "factory",
        container: "pgbackrest",
        endpoint: "blob.core.windows.net",
        port: 443,
        pathStyle: false,
        ca: undefined,
        addresses: ["10.0.0.9/32"],
        keyType: "sas",
        key: "sv=2024&sig=SECRET",
      },
    ]);
  });

  it("is a storage of anybody's that speaks the language", () => {
    const stated = {
      ...storage,
      container: "factory-1",
      endpoint: "azurite.storage.svc",
      port: 10_000,
      pathStyle: true,
      ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
      keyType: "shared",
    };
    expect(backups({ storage: stated }).stores).toEqual([stated]);
  });

  it("can come from the environment, as in CI", () => {
    const found = load(
      "cluster",
      {},
      {
        MS5_BACKUPS_STORAGE_ACCOUNT: "factory",
        MS5_BACKUPS_STORAGE_ADDRESSES: "10.0.0.9/32, 10.0.1.0/24",
        MS5_BACKUPS_STORAGE_KEY: "sv=2024&sp=r,w",
      },
    )?.backups;
    expect(found?.stores).toMatchObject([
      { account: "factory", addresses: ["10.0.0.9/32", "10.0.1.0/24"], key: "sv=2024&sp=r,w" },
    ]);
  });

  it("is a second storage too, when one is stated", () => {
    const second = { ...storage, account: "elsewhere" };
    expect(backups({ storage, secondStorage: second }).stores.map(({ account }) => account)).toEqual([
      "factory",
      "elsewhere",
    ]);
  });

  it("is a folder of each stack's own", () => {
    expect(backups({ storage }).path).toBe("/cluster");
    expect(backups({ storage, path: "/plant-7/prod" }).path).toBe("/plant-7/prod");
  });
});

describe("in Azure", () => {
  it("backups go to the account that the platform makes, as the nodes", () => {
    expect(inAzure({}).stores).toEqual([
      {
        account: azureNames("acme", "prod").backupAccount,
        container: "pgbackrest",
        endpoint: "blob.core.windows.net",
        port: 443,
        pathStyle: false,
        ca: undefined,
        // The subnet of the private endpoints, and nothing else of the network.
        addresses: ["10.40.0.64/28"],
        keyType: "auto",
        key: undefined,
      },
    ]);
  });

  it("an account with a public address may have any of them", () => {
    const found = backups({}, { stack: "dev", azure: publicAzureNeeds });
    expect(found.stores.map(({ addresses }) => addresses)).toEqual([["0.0.0.0/0"]]);
  });

  it("a subnet of somebody else's may be anywhere in the network", () => {
    const subnet = (name: string) =>
      `/subscriptions/${azureNeeds.subscription}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub/subnets/${name}`;
    const existing = { nodeSubnet: subnet("nodes"), endpointSubnet: subnet("endpoints") };
    const azure = { ...azureNeeds, existing, network: { addressSpace: "10.99.0.0/16" } };
    expect(inAzure({}, azure).stores.map(({ addresses }) => addresses)).toEqual([["10.99.0.0/16"]]);
  });

  it("single values can be stated, and the rest stays the platform's", () => {
    expect(inAzure({ storage: { container: "other" } }).stores).toMatchObject([
      { account: azureNames("acme", "prod").backupAccount, container: "other", keyType: "auto" },
    ]);
  });

  it("a second storage has nothing from the platform: it is for the day on which that is gone", () => {
    const text = refusal(() => inAzure({ secondStorage: { account: "elsewhere" } }));
    expect(text).toContain("backups.secondStorage.addresses is not set");
    expect(text).toContain("backups.secondStorage.key is not set: what opens it: keyType is sas");
  });

  it("both storages are behind one port, which is all that pods may reach", () => {
    const second = { ...storage, account: "elsewhere", port: 8443 };
    expect(refusal(() => inAzure({ secondStorage: second }))).toMatch(
      /backups\.secondStorage\.port is 8443; is another one than the first storage's[\s\S]*'443'/,
    );
  });

  it("the first storage cannot be the second", () => {
    const { backupAccount } = azureNames("acme", "prod");
    const again = (more: object) => () =>
      inAzure({ secondStorage: { ...storage, account: backupAccount, ...more } });
    expect(refusal(again({}))).toContain(
      `backups.secondStorage.account is "${backupAccount}"; is the first one again`,
    );
    // The same name elsewhere is another account.
    expect(again({ endpoint: "blob.example" })().stores).toHaveLength(2);
  });
});

describe("when backups are made, and how long they are kept", () => {
  const { stores: _, ...production } = inAzure({});

  it("is this in production", () => {
    expect(production).toMatchInlineSnapshot(`
      {
        "archiveTimeout": 60,
        "bytesPerSecond": 67108864,
        "cloneVolume": "100Gi",
        "encryptionKey": undefined,
        "keepDifferential": 6,
        "keepFull": 4,
        "maxAge": 46800,
        "path": "/prod",
        "processes": 1,
        "queueMaxBytes": 17179869184,
        "schedules": {
          "differential": "0 2 * * 1-6",
          "drill": "0 4 * * 3",
          "full": "0 2 * * 0",
          "incremental": "0 8,14,20 * * *",
        },
      }
    `);
  });

  it("is as in production in staging, but for half the time", () => {
    const { stores, ...staging } = backups({}, { stack: "staging", azure: azureNeeds });
    expect(staging).toEqual({ ...production, path: "/staging", keepFull: 2 });
  });

  it("is in working hours where a stack is stopped outside of them", () => {
    const dev = backups({}, { stack: "dev", azure: publicAzureNeeds });
    expect(dev.schedules).toMatchInlineSnapshot(`
      {
        "differential": "0 10 * * 2-5",
        "drill": "0 11 * * 3",
        "full": "0 10 * * 1",
        "incremental": undefined,
      }
    `);
    expect(backups({ storage }).schedules).toEqual(dev.schedules);
  });

  it("can be stated, each for itself", () => {
    const stated = { full: "0 1 1 * *", incremental: "never", keepFull: 12, keepDifferential: 2 };
    expect(inAzure(stated)).toMatchObject({
      schedules: { ...production.schedules, full: "0 1 1 * *", incremental: undefined },
      keepFull: 12,
      keepDifferential: 2,
    });
  });

  it("is a matter of numbers in the end", () => {
    const stated = {
      archiveTimeout: "2 minutes",
      maxAge: "2 days",
      queueMax: "3Gi",
      processes: 4,
      bandwidth: "10M",
      cloneVolume: "500Gi",
      encryptionKey: "x".repeat(20),
    };
    expect(backups({ storage, ...stated })).toMatchObject({
      archiveTimeout: 120,
      maxAge: 172_800,
      queueMaxBytes: 3 * 2 ** 30,
      processes: 4,
      bytesPerSecond: 10_000_000,
      cloneVolume: "500Gi",
      encryptionKey: "x".repeat(20),
    });
  });

  it("follows the volumes where it is about them", () => {
    const found = load("cluster", {
      backups: { storage },
      cluster: { walVolume: "10Gi", dataVolume: "70Gi" },
    })?.backups;
    expect(found).toMatchObject({ queueMaxBytes: 5 * 2 ** 30, cloneVolume: "70Gi" });
  });
});

describe("what is refused of backups", () => {
  it("is a storage of which something is missing, all of it at once and with what sets it", () => {
    expect(refusal(() => backups({ storage: {} }))).toMatchInlineSnapshot(`
      "the configuration of stack "cluster" is refused:
        ms5-timescale:backups.storage.account is not set: whose container it is
            pulumi config set --stack cluster --path 'ms5-timescale:backups.storage.account' 'factorybackups'
        ms5-timescale:backups.storage.addresses is not set: where it answers: pods may go nowhere else
            pulumi config set --stack cluster --path 'ms5-timescale:backups.storage.addresses' '["10.0.0.9/32"]'
        ms5-timescale:backups.storage.key is not set: what opens it: keyType is sas
            pulumi config set --secret --stack cluster --path 'ms5-timescale:backups.storage.key'
      correct Pulumi.cluster.yaml, with the commands above or by hand (reference: docs/config.md)"
    `);
  });

  it("is a key of which there is nothing to open, unless an identity does", () => {
    const { key: _, ...rest } = storage;
    expect(refusal(() => backups({ storage: { ...rest, keyType: "shared" } }))).toContain(
      "backups.storage.key is not set: what opens it: keyType is shared",
    );
    expect(backups({ storage: { ...rest, keyType: "auto" } }).stores).toMatchObject([{ keyType: "auto" }]);
  });

  it.each<[string, object, RegExp]>([
    [
      "an address that is none",
      { storage: { ...storage, addresses: ["storage.example"] } },
      /addresses\.0 is "storage\.example"/,
    ],
    ["no address at all", { storage: { ...storage, addresses: [] } }, /backups\.storage\.addresses/],
    ["a CA that is no PEM", { storage: { ...storage, ca: "MIIB" } }, /backups\.storage\.ca .*PEM/],
    [
      "a kind of key that there is not",
      { storage: { ...storage, keyType: "token" } },
      /`auto`, `sas`, `shared`/,
    ],
    ["a path that is no folder's", { storage, path: "prod" }, /backups\.path is "prod".*absolute path/],
    [
      "a time that cron does not know",
      { storage, full: "daily" },
      /backups\.full is "daily".*"never", or five fields/,
    ],
    ["a span that is none", { storage, archiveTimeout: "soon" }, /backups\.archiveTimeout is "soon"/],
    ["an age that is none", { storage, maxAge: "old" }, /backups\.maxAge is "old"/],
    [
      "a size that is none",
      { storage, queueMax: "lots" },
      /backups\.queueMax is "lots".*Kubernetes quantity/,
    ],
    ["to keep nothing", { storage, keepFull: 0 }, /backups\.keepFull is 0/],
    [
      "a key that there is not",
      { storage: { ...storage, region: "x" } },
      /backups\.storage\.region no such key/,
    ],
  ])("is %s", (_, stated, message) => {
    expect(refusal(() => backups(stated))).toMatch(message);
  });

  it("is a queue that would fill the log's volume before anything is given up", () => {
    const queue = (queueMax: string) => () =>
      load("cluster", { backups: { storage, queueMax }, cluster: { walVolume: "10Gi" } })?.backups;
    expect(queue("8Gi")()?.queueMaxBytes).toBe(8 * 2 ** 30);
    expect(refusal(queue("8193Mi"))).toMatch(
      /backups\.queueMax is "8193Mi"; is more than 80 % of cluster\.walVolume \(10Gi\)[\s\S]*'5120Mi'/,
    );
  });

  it("is production without full backups or drills, and only that", () => {
    const never = { full: "never", drill: "never", differential: "never", incremental: "never" };
    const text = refusal(() => inAzure(never));
    expect(text).toContain('backups.full is "never"; production needs full backups');
    expect(text).toContain('backups.drill is "never"; production needs drills');
    expect(text).not.toMatch(/backups\.(differential|incremental)/);
    const staging = backups(never, { stack: "staging", azure: azureNeeds });
    expect(new Set(Object.values(staging.schedules))).toEqual(new Set([undefined]));
  });
});

describe("a secret", () => {
  it.each<[string, object]>([
    ["encryptionKey", { storage, encryptionKey: "SECRET-too-short" }],
    ["storage.key", { storage: { ...storage, key: ["SECRET"] } }],
    ["secondStorage.key", { storage, secondStorage: { ...storage, key: { token: "SECRET" } } }],
  ])("is not in the message that refuses it: %s", (key, stated) => {
    const text = refusal(() => backups(stated));
    expect(text).toContain(`backups.${key} is "[secret]"`);
    expect(text).not.toContain("SECRET");
  });

  it("is not in what is refused beside it", () => {
    const second = { ...storage, addresses: undefined };
    expect(refusal(() => backups({ storage, secondStorage: second, path: "/p" }))).not.toContain("SECRET");
    expect(
      refusal(() => backups({ storage, encryptionKey: `SECRET${"x".repeat(20)}`, queueMax: "99Ti" })),
    ).not.toContain("SECRET");
  });
});

describe("a cluster that begins from its backups", () => {
  const recover = (stated: object) =>
    load("cluster", { backups: { storage }, cluster: { recover: stated } })?.recover;

  it("does so only when told to", () => {
    expect(load("cluster", {})?.recover).toBeUndefined();
    expect(recover({ holdJobs: false })).toBeUndefined();
  });

  it("begins from where it is told, and holds its jobs", () => {
    expect(recover({ to: "latest" })).toEqual({ target: { kind: "latest", value: null }, holdJobs: true });
    expect(recover({ to: "0/3000148", holdJobs: false })).toMatchObject({
      target: { lsn: "0/3000148" },
      holdJobs: false,
    });
    expect(recover({ to: "2026-11-22T10:15:00Z" })?.target.kind).toBe("time");
  });

  it("needs backups", () => {
    expect(refusal(() => load("cluster", { cluster: { recover: { to: "latest" } } }))).toContain(
      'cluster.recover is "latest"; there is nothing to begin from: backups.storage is not set',
    );
  });

  it.each([
    [
      "before-0010-20261122t101500z",
      /cluster\.recover\.to names the restore point .* no cluster yet that knows it/,
    ],
    ["2026-11-22T10:15:00", /does not say in which time zone/],
    ["yesterday!", /"yesterday!" is no target of a restore/],
  ])("does not begin at %s", (to, message) => {
    expect(refusal(() => recover({ to }))).toMatch(message);
  });
});
