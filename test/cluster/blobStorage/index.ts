// Blob storage beside a test cluster, reachable from its pods and from the host, over TLS with a CA of its own.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, openSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  BlobServiceClient,
  type ContainerClient,
  generateAccountSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { withToolLock } from "../../../ops/engine/toolCache";
import type { Log } from "../../../ops/log";
import { projectRoot } from "../../../ops/paths";
import { toolPath } from "../../support/debian";
import { newAuthority } from "../certificates";
import { makeCgroup, processesIn } from "../cgroups";
import { pidOf } from "../machine";
import type { ClusterPlan } from "../plan";
import { ensureAzurite } from "./azurite";
import type { StorageFault } from "./faults";
import { storageAccount, storageContainer, storagePorts } from "./places";

const readyWithinMs = 30_000;
const hour = 3_600_000;

export class BlobStorage {
  /** Environment of a stack that backs up to it, with a token of a day. */
  readonly config: Readonly<Record<string, string>>;

  constructor(
    private readonly plan: ClusterPlan,
    private readonly folder: string,
    private keys: readonly string[],
  ) {
    this.config = {
      MS5_BACKUPS_STORAGE_ACCOUNT: storageAccount,
      MS5_BACKUPS_STORAGE_CONTAINER: storageContainer,
      MS5_BACKUPS_STORAGE_ENDPOINT: plan.control.address,
      MS5_BACKUPS_STORAGE_PORT: String(storagePorts.door),
      MS5_BACKUPS_STORAGE_PATH_STYLE: "true",
      MS5_BACKUPS_STORAGE_CA: readFileSync(join(folder, "ca.pem"), "utf8"),
      MS5_BACKUPS_STORAGE_ADDRESSES: `${plan.control.address}/32`,
      MS5_BACKUPS_STORAGE_KEY_TYPE: "sas",
      MS5_BACKUPS_STORAGE_KEY: this.token(),
    };
  }

  /**
   * A token with what pgBackRest needs: read, write, create, delete and list blobs, nothing of the account.
   *
   * @param key which of the account's two keys signs it
   * @param startsInMs later than now for one that is not valid yet, as with a clock that is behind
   */
  token(key: 0 | 1 = 0, startsInMs = -hour): string {
    const expiresOn = new Date(Date.now() + 24 * hour);
    return generateAccountSASQueryParameters(
      {
        startsOn: new Date(Date.now() + startsInMs),
        expiresOn,
        permissions: AccountSASPermissions.parse("rwdlc"),
        services: AccountSASServices.parse("b").toString(),
        resourceTypes: AccountSASResourceTypes.parse("co").toString(),
      },
      new StorageSharedKeyCredential(storageAccount, this.keys[key] ?? ""),
    ).toString();
  }

  /** Makes the storage misbehave until the next call; undefined ends it. */
  async misbehave(fault: StorageFault | undefined): Promise<void> {
    await this.control("/fault", fault);
  }

  /** Requests since it began. */
  async requests(): Promise<number> {
    return ((await this.control("/", undefined)) as { requests: number }).requests;
  }

  /** Replaces one of the account's keys: tokens signed with it are valid no more. */
  async replaceKey(which: 0 | 1): Promise<void> {
    this.keys = this.keys.map((key, index) => (index === which ? newKey() : key));
    await writeFile(join(this.folder, "keys.json"), JSON.stringify(this.keys));
    await this.control("/keys", this.keys);
    await this.untilReady();
  }

  /** The container, past the door: faults do not concern it. */
  container(): ContainerClient {
    const url = `http://${this.plan.hostLink.cluster}:${storagePorts.azurite}/${storageAccount}`;
    return new BlobServiceClient(
      url,
      new StorageSharedKeyCredential(storageAccount, this.keys[0] ?? ""),
    ).getContainerClient(storageContainer);
  }

  async untilReady(): Promise<void> {
    const deadline = Date.now() + readyWithinMs;
    for (;;) {
      try {
        await this.control("/", undefined);
        await this.container().createIfNotExists();
        return;
      } catch (error) {
        if (Date.now() > deadline)
          throw new Error(`the blob storage does not answer: ${logOf(this.folder)}`, { cause: error });
        await sleep(100);
      }
    }
  }

  private async control(path: string, body: unknown): Promise<unknown> {
    const answer = await fetch(`http://${this.plan.hostLink.cluster}:${storagePorts.control}${path}`, {
      method: body === undefined && path === "/" ? "GET" : "PUT",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answer.json();
  }
}

/** The storage of a cluster that is up, started unless it runs. It goes with the cluster. */
export async function ensureBlobStorage(plan: ClusterPlan, log: Log): Promise<BlobStorage> {
  const azurite = await ensureAzurite(log);
  const folder = join(plan.folder, "storage");
  return withToolLock(folder, "the blob storage", log, undefined, async () => {
    const cgroup = `${plan.cgroup}/storage`;
    if (!existsSync(join(folder, "keys.json"))) await prepare(plan, folder);
    if (processesIn(cgroup).length === 0) await start(plan, { folder, cgroup, azurite });
    const keys = JSON.parse(readFileSync(join(folder, "keys.json"), "utf8")) as string[];
    const storage = new BlobStorage(plan, folder, keys);
    await storage.untilReady();
    return storage;
  });
}

async function prepare(plan: ClusterPlan, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const authority = newAuthority();
  const { key, certificate } = authority.issue(
    { commonName: "blob storage" },
    { ip: [plan.control.address, plan.hostLink.cluster] },
  );
  await writeFile(join(folder, "ca.pem"), authority.certificate);
  await writeFile(join(folder, "tls.crt"), certificate);
  await writeFile(join(folder, "tls.key"), key, { mode: 0o600 });
  await writeFile(join(folder, "keys.json"), JSON.stringify([newKey(), newKey()]), { mode: 0o600 });
}

async function start(
  plan: ClusterPlan,
  { folder, cgroup, azurite }: { folder: string; cgroup: string; azurite: string },
): Promise<void> {
  const joins = await makeCgroup(cgroup);
  const log = openSync(join(folder, "storage.log"), "a");
  const script =
    'while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift; while :; do "$@" || true; sleep 0.2; done';
  const node = [process.execPath, "--require", require.resolve("tsx/cjs"), join(__dirname, "main.ts")];
  const enter = ["nsenter", "--target", String(pidOf(plan.control)), "--net", "--"];
  const child = spawn("sh", ["-ec", script, "sh", ...joins, "--", ...enter, ...node, folder, azurite], {
    stdio: ["ignore", log, log],
    detached: true,
    cwd: projectRoot,
    env: { ...process.env, PATH: toolPath },
  });
  child.unref();
}

function newKey(): string {
  return randomBytes(48).toString("base64");
}

function logOf(folder: string): string {
  const file = join(folder, "storage.log");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").slice(-5).join("; ") : "no log";
}

/** Where pods find it, for notes to people. */
export function storageUrl(plan: ClusterPlan): string {
  return `https://${plan.control.address}:${storagePorts.door}/${storageAccount}/${storageContainer}`;
}
