/** What may be written about monitoring: where it runs, what it keeps, whom it tells, who may ask. */
import { z } from "zod";
import { parseBytes } from "../database/quantity";
import { intervalUnits, parseInterval } from "../units";

const image = z.string().min(1).meta({ unit: "image" });

const interval = z
  .string()
  .refine((text) => parseInterval(text) !== undefined, {
    message: `a whole number and a unit: ${intervalUnits}`,
  })
  .meta({ unit: "interval" });

const url = z.url({ protocol: /^https?$/ }).meta({ unit: "URL" });

const endpoint = z.strictObject({
  addresses: z
    .array(z.cidrv4())
    .min(1)
    .optional()
    .meta({ unit: "IPv4 networks", example: '["0.0.0.0/0"]' })
    .describe("Where it answers. `0.0.0.0/0` is every public address, and none of a private network"),
  port: z.int().min(1).max(65_535).optional().meta({ unit: "TCP port" }).describe("Its port"),
});

export const monitoringSchema = z.strictObject({
  place: z
    .enum(["cluster", "azure", "none"])
    .optional()
    .describe(
      "Where Prometheus, Alertmanager and Grafana run: pods beside the database, Azure's managed ones, or nowhere",
    ),
  retention: interval.optional().meta({ example: "15 days" }).describe("How long Prometheus keeps samples"),
  volume: z
    .string()
    .refine((text) => parseBytes(text) !== undefined, {
      message: "a Kubernetes quantity of bytes, e.g. 20Gi",
    })
    .optional()
    .meta({ unit: "bytes", example: "20Gi" })
    .describe("Volume of Prometheus; the oldest samples go when it is four fifths full"),
  storageClass: z.string().min(1).optional().describe("Storage class of that volume"),
  grafana: z.boolean().optional().describe("Whether Grafana runs in the cluster, with our dashboards"),
  images: z
    .strictObject({
      prometheus: image.optional().describe("Image of Prometheus"),
      alertmanager: image.optional().describe("Image of Alertmanager"),
      postgresExporter: image.optional().describe("Image of postgres_exporter"),
      pgbouncerExporter: image.optional().describe("Image of pgbouncer_exporter"),
      nodeExporter: image.optional().describe("Image of node_exporter"),
      grafana: image.optional().describe("Image of Grafana"),
      node: image
        .optional()
        .describe("Image with Node.js 20 or newer, in which the TimescaleDB exporter and the API run"),
    })
    .optional(),
  remoteWrite: z
    .strictObject({
      url: url
        .optional()
        .meta({ example: "https://metrics.example/api/v1/write" })
        .describe("Where samples are sent too"),
      token: z
        .string()
        .min(1)
        .optional()
        .meta({ secret: true })
        .describe("Bearer token for it. Set it with `pulumi config set --secret`"),
    })
    .optional(),
  notify: z
    .strictObject({
      webhook: z
        .string()
        .min(1)
        .optional()
        .meta({ secret: true, unit: "URL" })
        .describe("Where Alertmanager posts alerts as JSON. Such URLs hold a secret: set it with `--secret`"),
      teams: z
        .string()
        .min(1)
        .optional()
        .meta({ secret: true, unit: "URL" })
        .describe("Workflow of a Microsoft Teams channel. Set it with `--secret`"),
      email: z
        .strictObject({
          to: z
            .email()
            .optional()
            .meta({ unit: "address", example: "oncall@factory.example" })
            .describe("Who gets alerts"),
          from: z
            .email()
            .optional()
            .meta({ unit: "address", example: "ms5@factory.example" })
            .describe("Whom they come from"),
          server: z
            .string()
            .regex(/^[a-zA-Z0-9.-]+:\d{1,5}$/, "HOST:PORT of the mail server")
            .optional()
            .meta({ unit: "HOST:PORT", example: "mail.factory.example:587" })
            .describe("Mail server; it must offer STARTTLS"),
          user: z.string().min(1).optional().describe("Login at the mail server"),
          password: z
            .string()
            .min(1)
            .optional()
            .meta({ secret: true })
            .describe("Its password. Set it with `--secret`"),
          addresses: z
            .array(z.cidrv4())
            .min(1)
            .optional()
            .meta({ unit: "IPv4 networks", example: '["10.0.0.25/32"]' })
            .describe("Where the mail server answers: network policies let Alertmanager reach it there"),
        })
        .optional(),
      warnings: z
        .boolean()
        .optional()
        .describe("Whether `warning` goes there too, once a day; else only `critical`, which wakes somebody"),
    })
    .optional(),
  outside: endpoint.optional().describe("Where webhooks, Teams, remote write and the issuer's keys are"),
  api: z
    .strictObject({
      issuer: z
        .string()
        .min(1)
        .optional()
        .meta({ unit: "URL" })
        .describe("Issuer of tokens, as their `iss` says"),
      audience: z.string().min(1).optional().describe("What their `aud` must be"),
      keysUrl: url.optional().describe("Where the issuer publishes its keys (JWKS)"),
      keys: z
        .string()
        .startsWith("{", "a JSON Web Key Set, as `npm run ops -- monitoring keys` makes it")
        .optional()
        .meta({ unit: "JSON" })
        .describe("The keys themselves, instead of a URL: public ones only"),
      rolesClaim: z
        .string()
        .min(1)
        .optional()
        .meta({ example: "roles" })
        .describe("Claim of a token that holds its roles"),
    })
    .optional(),
  freshness: interval
    .optional()
    .meta({ example: "5 minutes" })
    .describe("Age of the newest row of metric_hist from which on data counts as stale"),
});
export type MonitoringInput = z.infer<typeof monitoringSchema>;
