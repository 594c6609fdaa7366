/** Lays what is written of backups over the environment's defaults. */
import { addressPlan } from "../azure/addressPlan";
import { addressDemand } from "../azure/demand";
import { azureNames } from "../azure/names";
import type { AzureSettings } from "../azure/settings";
import type { BackupSettings, BackupStore } from "../database/backups/settings";
import { parseBytes } from "../database/quantity";
import type { BackupDefaults } from "../environments";
import type { BackupInput, StoreInput } from "./backupSchema";
import { configError } from "./errors";
import { knownInterval } from "./knownInterval";

export interface BackupPlace {
  readonly stack: string;
  readonly azure: AzureSettings | undefined;
  readonly dataVolume: string;
  readonly walVolume: string;
}

/** undefined where nothing says where backups go. @throws UserError for a storage of which something is missing */
export function backupSettings(
  input: BackupInput,
  defaults: BackupDefaults,
  { stack, azure, dataVolume, walVolume }: BackupPlace,
): BackupSettings | undefined {
  const own = azure && azureStore(stack, azure);
  const first = input.storage === undefined ? own : storeOf(stack, "storage", input.storage, own);
  if (first === undefined) return undefined;
  const second = input.secondStorage && storeOf(stack, "secondStorage", input.secondStorage, undefined);
  const scheduled = { ...defaults.schedules, ...written(input) };
  const schedule = (text: string) => (text === "never" ? undefined : text);
  return {
    stores: second === undefined ? [first] : [first, second],
    path: input.path ?? `/${stack}`,
    encryptionKey: input.encryptionKey,
    schedules: {
      full: schedule(scheduled.full),
      differential: schedule(scheduled.differential),
      incremental: schedule(scheduled.incremental),
      drill: schedule(scheduled.drill),
    },
    maxAge: knownInterval(input.maxAge ?? defaults.maxAge).seconds,
    keepFull: input.keepFull ?? defaults.keepFull,
    keepDifferential: input.keepDifferential ?? defaults.keepDifferential,
    archiveTimeout: knownInterval(input.archiveTimeout ?? "60 seconds").seconds,
    queueMaxBytes: parseBytes(input.queueMax ?? "") ?? Math.round((parseBytes(walVolume) ?? 0) / 2),
    processes: input.processes ?? 1,
    bytesPerSecond: parseBytes(input.bandwidth ?? defaults.bandwidth),
    cloneVolume: input.cloneVolume ?? dataVolume,
  };
}

function written({
  full,
  differential,
  incremental,
  drill,
}: BackupInput): Partial<BackupDefaults["schedules"]> {
  return {
    ...(full && { full }),
    ...(differential && { differential }),
    ...(incremental && { incremental }),
    ...(drill && { drill }),
  };
}

/** Private networks: a storage with a public address is in none of them. */
const everywhere = "0.0.0.0/0";

/** The account that the platform makes (infra/azure/backupStorage.ts). */
function azureStore(stack: string, azure: AzureSettings): BackupStore {
  return {
    account: azureNames(azure.organisation, stack).backupAccount,
    container: "pgbackrest",
    endpoint: "blob.core.windows.net",
    port: 443,
    pathStyle: false,
    ca: undefined,
    addresses: azure.network.privateEndpoints ? [endpointNetwork(azure)] : [everywhere],
    keyType: "auto",
    key: undefined,
  };
}

/** A private endpoint's address is Azure's choice, of its subnet. Where that is somebody else's, its network is not known. */
function endpointNetwork(azure: AzureSettings): string {
  const plan = addressPlan(addressDemand(azure));
  if (azure.existing.endpointSubnet !== undefined || "problems" in plan) return azure.network.addressSpace;
  return plan.endpointSubnet;
}

function storeOf(
  stack: string,
  key: "storage" | "secondStorage",
  input: StoreInput,
  own: BackupStore | undefined,
): BackupStore {
  const { account = own?.account, addresses = own?.addresses } = input;
  const keyType = input.keyType ?? own?.keyType ?? "sas";
  const missing = [
    ...(account === undefined
      ? [{ name: "account", why: "whose container it is", example: "factorybackups" }]
      : []),
    ...(addresses === undefined
      ? [{ name: "addresses", why: "where it answers: pods may go nowhere else", example: '["10.0.0.9/32"]' }]
      : []),
    ...(keyType !== "auto" && input.key === undefined
      ? [{ name: "key", why: `what opens it: keyType is ${keyType}`, example: undefined }]
      : []),
  ];
  if (account === undefined || addresses === undefined || missing.length > 0) {
    throw configError(
      stack,
      missing.map(({ name, why, example }) => ({
        key: `backups.${key}.${name}`,
        found: undefined,
        problem: `is not set: ${why}`,
        example,
      })),
    );
  }
  return {
    account,
    container: input.container ?? own?.container ?? "pgbackrest",
    endpoint: input.endpoint ?? own?.endpoint ?? "blob.core.windows.net",
    port: input.port ?? own?.port ?? 443,
    pathStyle: input.pathStyle ?? own?.pathStyle ?? false,
    ca: input.ca ?? own?.ca,
    addresses,
    keyType,
    key: input.key,
  };
}
