// infra/database/backups/jobs.ts - what happens by the clock: backups, and drills that restore them.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterSettings } from "../../config";
import { NamespaceObjects } from "../../kubernetes/namespaceObjects";
import type { Certificates } from "../certificates";
import { mountNames } from "../podParts";
import { backupAccount, backupPod, drillPod } from "./pods";
import { type BackupSettings, backrestTypes, backupKinds, cronJobOf } from "./settings";
import { cloneSize } from "./size";

export interface BackupJobsArgs {
  readonly colour: string;
  readonly namespace: pulumi.Input<string>;
  readonly settings: ClusterSettings;
  readonly backups: BackupSettings;
  readonly certificates: Certificates;
}

/** Seconds after which one that could not begin is left out: the next comes anyway. */
const startingDeadlineSeconds = 3_600;

export class BackupJobs extends pulumi.ComponentResource {
  private readonly objects: NamespaceObjects;

  constructor(
    name: string,
    private readonly args: BackupJobsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("ms5:database:BackupJobs", name, {}, opts);
    this.objects = new NamespaceObjects(this, args.namespace);
    const { settings, backups, colour } = args;
    const needs = [this.account(), this.tls()];
    const pod = { colour, image: settings.image };
    for (const kind of backupKinds) {
      const template = backupPod(pod, backrestTypes[kind]);
      this.cronJob(cronJobOf(kind), backups.schedules[kind], template, needs);
    }
    this.cronJob("drill", backups.schedules.drill, drillPod({ ...pod, ...cloneSize(settings) }), needs);
    this.registerOutputs({});
  }

  private account(): pulumi.Resource {
    return new kubernetes.core.v1.ServiceAccount(
      backupAccount,
      { metadata: this.objects.metadata(backupAccount), automountServiceAccountToken: false },
      { parent: this },
    );
  }

  private tls(): pulumi.Resource {
    const { colour, certificates } = this.args;
    const client = certificates.client(`${colour}-backup`, { commonName: "backup" });
    const name = mountNames(colour).jobTls;
    return this.objects.secret(name, {
      "backup.crt": client.certificatePem,
      "backup.key": client.keyPem,
    });
  }

  /** One without a schedule is there all the same, for `ops backup` and `ops drill`. */
  private cronJob(
    name: string,
    schedule: string | undefined,
    template: kubernetes.types.input.core.v1.PodTemplateSpec,
    dependsOn: pulumi.Resource[],
  ): void {
    new kubernetes.batch.v1.CronJob(
      name,
      {
        metadata: this.objects.metadata(name),
        spec: {
          schedule: schedule ?? "0 0 1 1 *",
          suspend: schedule === undefined,
          timeZone: "Etc/UTC",
          concurrencyPolicy: "Forbid",
          startingDeadlineSeconds,
          successfulJobsHistoryLimit: 3,
          failedJobsHistoryLimit: 3,
          jobTemplate: {
            spec: {
              // The job asks another member by itself; beyond that somebody has to look.
              backoffLimit: 1,
              activeDeadlineSeconds: 86_400,
              ttlSecondsAfterFinished: 7 * 86_400,
              template,
            },
          },
        },
      },
      { parent: this, dependsOn },
    );
  }
}
