/** The provider's configuration, by the names and environment variables of the official plugin. */
import { UserError } from "../../../infra/errors";
import type { Bag, Value } from "../values";
import type { KubeconfigSettings } from "./kubeconfig";
import type { Mutability } from "./replacement";

export interface Settings extends KubeconfigSettings {
  /** For objects that name none. Default: the context's. */
  readonly namespace: string | undefined;
  /** Kinds whose data may change in place. */
  readonly mutable: Mutability;
  /** Takes over fields that others own, everywhere. */
  readonly patchForce: boolean;
  /** Lets a new resource take over an object that exists already. */
  readonly upsert: boolean;
  /** Forgets objects of a cluster that is no longer there. */
  readonly deleteUnreachable: boolean;
}

/** What only the official plugin can do. */
const unsupported = ["cluster", "renderYamlToDirectory", "alwaysRender", "skipUpdateUnreachable"] as const;

/**
 * Booleans come as JSON text.
 *
 * @throws UserError for what the stand-in has not got
 */
export function settingsOf(config: Bag, environment: NodeJS.ProcessEnv): Settings {
  const setting = (name: string, variable?: string): string | undefined =>
    plain(config[name]) ?? (variable === undefined ? undefined : environment[variable]);
  const flag = (name: string, variable: string): boolean =>
    setting(name, `PULUMI_K8S_${variable}`) === "true";
  for (const name of unsupported) {
    if (["", "false"].includes(setting(name) ?? "")) continue;
    throw notSupported(name);
  }
  if (setting("enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY") === "false") {
    throw notSupported("enableServerSideApply: false");
  }
  return {
    kubeconfig: setting("kubeconfig"),
    context: setting("context"),
    namespace: setting("namespace"),
    mutable: {
      configMaps: flag("enableConfigMapMutable", "ENABLE_CONFIGMAP_MUTABLE"),
      secrets: flag("enableSecretMutable", "ENABLE_SECRET_MUTABLE"),
    },
    patchForce: flag("enablePatchForce", "ENABLE_PATCH_FORCE"),
    upsert: flag("upsertExistingObjects", "UPSERT_EXISTING_OBJECTS"),
    deleteUnreachable: flag("deleteUnreachable", "DELETE_UNREACHABLE"),
  };
}

function plain(value: Value | undefined): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function notSupported(what: string): UserError {
  return new UserError(`the kubernetes stand-in does not support the provider setting ${what}`, {
    fix: "leave it out, or install the official plugin: pulumi plugin install resource kubernetes",
  });
}
