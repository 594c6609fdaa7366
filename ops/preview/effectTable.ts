// Which field does what: what an `up` that changes it does, and whether applications see it. The first row that fits a
// change holds, so special ones stand before general ones. Sources: infra/database, docs/database.md, docs/failover.md,
// docs/runbooks; for Azure the documentation of AKS (learn.microsoft.com/azure/aks).
import { always, type EffectRow, update } from "./effectRow";
import { azure } from "./effectRows/azure";
import { backups } from "./effectRows/backups";
import { credentials } from "./effectRows/credentials";
import { database } from "./effectRows/database";
import { kubernetesService } from "./effectRows/kubernetesService";
import { monitoring } from "./effectRows/monitoring";
import { network } from "./effectRows/network";
import { pooler } from "./effectRows/pooler";
import { schema } from "./effectRows/schema";

const general: EffectRow[] = [
  ...["labels", "annotations"].map(
    (part): EffectRow => ({
      type: "kubernetes:*",
      ops: update,
      property: `metadata.${part}.**`,
      effect: "none",
      what: `other ${part} of the object itself`,
      why: "pods take theirs from their template",
    }),
  ),
  {
    type: "pulumi:providers:*",
    ops: always,
    effect: "none",
    what: "how the program itself gets there",
    why: "nothing outside the state changes",
  },
];

export const effectTable: readonly EffectRow[] = [
  ...general,
  // Before what its names would be taken for.
  ...monitoring,
  ...database,
  ...pooler,
  ...network,
  ...backups,
  ...credentials,
  ...schema,
  ...azure,
  ...kubernetesService,
];
