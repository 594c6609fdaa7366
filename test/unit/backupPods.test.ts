import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { loadConfig } from "../../infra/config";
import { backupPod, cloneLabels, clonePod, drillPod } from "../../infra/database/backups/pods";
import { cloneSize } from "../../infra/database/backups/size";
import { databasePod } from "../../infra/database/podSpec";
import { parties } from "../../infra/kubernetes/flows";

const own = { colour: "blue", image: "timescaledb:1" };
const size = { cpu: "250m", memory: "1024Mi", volume: "200Gi", storageClass: "fast" };
const target = { kind: "lsn", value: "0/3000148", lsn: "0/3000148" };

const pods = {
  backup: backupPod(own, "diff"),
  drill: drillPod({ ...own, ...size }),
  clone: clonePod({ ...own, ...size }, { name: "before", target }),
};

/** What of a pod these tests look into. */
interface Spec {
  readonly containers: readonly {
    readonly name: string;
    readonly volumeMounts: { readonly name: string }[];
  }[];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}
const specOf = (template: object) => (template as { spec: Spec }).spec;

describe("the pods of backups", () => {
  it.each(Object.entries(pods))("are this, whole: %s", (_, pod) => {
    expect(`\n${stringify(pod, { indentSeq: false, aliasDuplicateObjects: false })}`).toMatchSnapshot();
  });

  it.each(Object.entries(pods))("are those that the network's policies mean: %s", (name, { metadata }) => {
    expect(metadata).toMatchObject({ labels: parties[name as keyof typeof pods].pods });
  });

  it.each(Object.entries(pods))("mount what they have, and have what they mount: %s", (_, pod) => {
    const { containers, volumes } = specOf(pod);
    const mounted = containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name));
    expect([...mounted].sort()).toEqual(volumes.map(({ name }) => name).sort());
  });

  it("know the keys of the storage only where they read it", () => {
    const secrets = (pod: object) =>
      specOf(pod).volumes.flatMap(({ secret }) => (secret === undefined ? [] : [secret.secretName]));
    expect(secrets(pods.backup)).toEqual(["blue-backup-job-tls"]);
    expect(secrets(pods.drill)).toEqual(["blue-server-tls", "blue-backup-keys", "blue-backup-job-tls"]);
    expect(secrets(pods.clone)).toEqual(["blue-server-tls", "blue-backup-keys", "blue-credentials"]);
  });

  it("take the cluster's own storage class where none is stated", () => {
    const text = stringify(drillPod({ ...own, ...size, storageClass: undefined }));
    expect(text).toContain("storage: 200Gi");
    expect(text).not.toContain("storageClassName");
  });

  it("tell clones apart by name", () => {
    expect(cloneLabels("before")).toEqual({ "app.kubernetes.io/name": "clone", "ms5.io/clone": "before" });
  });
});

describe("how large a restored copy is", () => {
  const settings = (cluster: object, backups: object = {}) => {
    const storage = { account: "a", addresses: ["10.0.0.9/32"], key: "sv=1" };
    const found = loadConfig("cluster", {
      "ms5-timescale:cluster": JSON.stringify(cluster),
      "ms5-timescale:backups": JSON.stringify({ storage, ...backups }),
    }).cluster;
    return found ?? expect.fail("stack cluster makes no cluster");
  };

  it.each([
    ["1Gi", "512Mi"],
    ["8Gi", "2048Mi"],
    ["64Gi", "4096Mi"],
  ])("of a member with %s it has %s", (memory, mebibytes) => {
    expect(cloneSize({ ...settings({}), memory }).memory).toBe(mebibytes);
  });

  it("has a volume as large as the data's, unless another is stated", () => {
    expect(cloneSize(settings({ dataVolume: "77Gi", storageClass: "slow" }))).toMatchObject({
      volume: "77Gi",
      storageClass: "slow",
    });
    expect(cloneSize(settings({ dataVolume: "77Gi" }, { cloneVolume: "99Gi" })).volume).toBe("99Gi");
  });
});

describe("a member", () => {
  const member = (backups: boolean) =>
    databasePod({
      cluster: { name: "blue", namespace: "ms5-database", members: 3 },
      image: "timescaledb:1",
      cpu: "1",
      memory: "2Gi",
      accountName: "database",
      dedicatedNodes: false,
      backups,
      startsWith: {},
    });

  it("that backs up has the keys, where to find them and a port for the others", () => {
    const without = stringify(member(false)).split("\n");
    const more = stringify(member(true))
      .split("\n")
      .filter((line) => !without.includes(line));
    expect(more.map((line) => line.trim())).toMatchInlineSnapshot(`
      [
        "- name: PGBACKREST_CONFIG",
        "value: /ms5/settings/pgbackrest.conf",
        "- name: PGBACKREST_CONFIG_INCLUDE_PATH",
        "value: /backup-keys",
        "- name: pgbackrest",
        "containerPort: 8432",
        "- name: backup-keys",
        "mountPath: /backup-keys",
        "- name: backup-keys",
        "secretName: blue-backup-keys",
      ]
    `);
  });

  it("that does not knows nothing of them", () => {
    expect(stringify(member(false))).not.toMatch(/backrest|backup/i);
  });
});
