import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ResourceModel, RunModel } from "../../ops/engine/events";
import type { StackResult } from "../../ops/engine/stack";
import { commentLimit, renderComment, renderRefusal } from "../../ops/preview/comment";
import { modelOf, resource, resultOf, stackResource } from "./previewModel";

function comment(
  resources: readonly ResourceModel[],
  more: Partial<RunModel> = {},
  sql: Record<string, string> = {},
): string {
  const model = modelOf(resources, more);
  return renderComment({ result: resultOf(model), model, sql });
}

describe("the comment on a preview", () => {
  it("is short where nothing changes", () => {
    expect(comment([resource("same", "ms5:schema:Hypertable", "metric_hist")])).toMatchInlineSnapshot(`
      "<!-- ms5-preview: prod -->

      ### \`prod\`: nothing to change

      <sub>Pulumi 3.256.0. What the words mean: docs/pull-requests.md</sub>
      "
    `);
  });

  it("of a first deployment says what is new by kind, and folds it", () => {
    const schemas = Array.from({ length: 300 }, (_, index) =>
      resource("create", "ms5:schema:Hypertable", `table_${String(index).padStart(3, "0")}`),
    );
    const files = { property: "files.0001-factory.sql", after: "ab".repeat(32) };
    const text = comment(
      [
        stackResource("create"),
        ...schemas,
        resource("create", "ms5:schema:RetentionPolicy", "table_000-retention", [
          { property: "dropAfter", after: "90 days" },
        ]),
        resource("create", "ms5:schema:Migrations", "migrations", [files]),
      ],
      { outputs: { monthlyCost: { total: 1310, currency: "EUR", items: [] } } },
      { "0001-factory.sql": "CREATE SCHEMA factory;\n" },
    );
    const long = text.replace(/( {2}\S+ table_002 to be created\n).*(?=^.*table_299 to)/ms, "  …\n");
    expect(long).toMatchInlineSnapshot(`
      "<!-- ms5-preview: prod -->

      ### \`prod\`: 303 to create, 0 to update, 0 to replace, 0 to delete; the first deployment, so there are no clients yet

      <details><summary>303 new resources, by kind</summary>

      |  | kind | names |
      |---|---|---|
      | 300 | \`ms5:schema:Hypertable\` | \`table_000\`, \`table_001\`, \`table_002\`, \`table_003\`, \`table_004\`, \`table_005\`, … and 294 more |
      | 1 | \`ms5:schema:Migrations\` | \`migrations\` |
      | 1 | \`ms5:schema:RetentionPolicy\` | \`table_000-retention\` |
      | 1 | \`pulumi:pulumi:Stack\` | \`ms5-prod\` |

      </details>

      **1 pending migration**

      <details><summary><code>0001-factory.sql</code></summary>

      \`\`\`sql
      CREATE SCHEMA factory;
      \`\`\`

      </details>

      **Cost**: 1,310.00 \`EUR\` a month, estimated

      <details><summary>Full diff</summary>

      \`\`\`diff
      + pulumi:pulumi:Stack ms5-prod to be created
      +   ms5:schema:Hypertable table_000 to be created
      +   ms5:schema:Hypertable table_001 to be created
      +   …
      +   ms5:schema:Hypertable table_299 to be created
      +   ms5:schema:Migrations migrations to be created
              files.0001-factory.sql: abababababab…
      +   ms5:schema:RetentionPolicy table_000-retention to be created
              dropAfter: 90 days
      \`\`\`

      </details>

      <sub>Pulumi 3.256.0. What the words mean: docs/pull-requests.md</sub>
      "
    `);
  });

  it("shows a policy as before and after, and what it deletes", () => {
    const shorter = [{ property: "dropAfter", before: "90 days", after: "30 days" }];
    const was = {
      relation: "factory_telemetry.oee",
      after: "30 days",
      schedule: "12 hours",
      engineVersion: "1",
    };
    expect(
      comment([
        resource("update", "ms5:schema:RetentionPolicy", "metric_hist-retention", shorter),
        resource("update", "ms5:schema:Hypertable", "metric_hist", [
          { property: "chunkInterval", before: "1 day", after: "7 days" },
          { property: "columnstore.orderBy", before: "ts DESC", after: "ts" },
        ]),
        resource("delete", "ms5:schema:ColumnstorePolicy", "oee-columnstore", [], { was }),
      ]),
    ).toMatchInlineSnapshot(`
      "<!-- ms5-preview: prod -->

      ### \`prod\`: 2 to update, 0 to replace, 1 to delete; clients will not notice; **data is deleted**

      > [!CAUTION]
      > Deleted for good:
      > - \`ms5:schema:RetentionPolicy metric_hist-retention\` (changed): rows older than \`30 days\`, when the policy's job runs next

      <details><summary>4 changes that clients do not notice</summary>

      | clients | what changes | what happens | why |
      |---|---|---|---|
      | **none** | \`ms5:schema:ColumnstorePolicy\` \`oee-columnstore\` | the job does its work otherwise, or is added or removed | nothing is changed but the job |
      | **none** | \`ms5:schema:Hypertable\` \`metric_hist\`: \`chunkInterval\` | holds for chunks that are made from now on | those that exist stay as they are |
      | **none** | \`ms5:schema:Hypertable\` \`metric_hist\`: \`columnstore.orderBy\` | holds for chunks that become columns from now on; turning it off is refused while there are chunks of columns | those that are columns keep the settings they were written with |
      | **none** | \`ms5:schema:RetentionPolicy\` \`metric_hist-retention\`: \`dropAfter\` | more old rows are deleted from now on | deleting whole chunks takes a moment and disturbs nobody |

      </details>

      **Policies**

      | of | setting | before | after |
      |---|---|---|---|
      | \`oee\` | columnstore: after | \`30 days\` | none |
      | \`oee\` | columnstore: look every | \`12 hours\` | none |
      | \`metric_hist\` | chunk interval | \`1 day\` | \`7 days\` |
      | \`metric_hist\` | columnstore orderBy | \`ts DESC\` | \`ts\` |
      | \`metric_hist\` | retention: delete after | \`90 days\` | \`30 days\` |

      <details><summary>Full diff</summary>

      \`\`\`diff
          pulumi:pulumi:Stack ms5-prod unchanged
      -   ms5:schema:ColumnstorePolicy oee-columnstore to be deleted
      !   ms5:schema:Hypertable metric_hist to be updated
              chunkInterval: 1 day → 7 days
              columnstore.orderBy: ts DESC → ts
      !   ms5:schema:RetentionPolicy metric_hist-retention to be updated
              dropAfter: 90 days → 30 days
      \`\`\`

      </details>

      <sub>Pulumi 3.256.0. What the words mean: docs/pull-requests.md</sub>
      "
    `);
  });

  it("of a parameter that needs a restart says that members restart, and how long clients wait", () => {
    expect(
      comment([
        resource("update", "ms5:database:Rollout", "blue", [
          { property: "settingsThatRestart.shared_buffers", before: "8GB", after: "12GB" },
          { property: "settingsThatReload.work_mem", before: "16MB", after: "32MB" },
          { property: "revision", before: "aaaa", after: "bbbb" },
        ]),
        resource("update", "kubernetes:core/v1:ConfigMap", "blue-settings", [
          { property: "data.patroni.yml", before: "{\n  a\n}", after: "{\n  b\n}" },
        ]),
      ]),
    ).toMatchInlineSnapshot(`
      "<!-- ms5-preview: prod -->

      ### \`prod\`: 2 to update, 0 to replace, 0 to delete; clients will see a short stall (≤ 6 s)

      **Replaced or restarted**

      - restarted: PostgreSQL on every database member, one at a time, the primary last, because of \`settingsThatRestart.shared_buffers\`

      **What clients will notice**

      | clients | what changes | what happens | why |
      |---|---|---|---|
      | **stall, ≤ 6 s** | \`ms5:database:Rollout\` \`blue\`: \`settingsThatRestart.shared_buffers\` | PostgreSQL restarts on every member: on replicas one by one, then a switchover, then on the former primary | new transactions wait at the pooler while another member is promoted; a single member has nobody to switch to, and they wait for its restart |

      <details><summary>3 changes that clients do not notice</summary>

      | clients | what changes | what happens | why |
      |---|---|---|---|
      | **none** | \`kubernetes:core/v1:ConfigMap\` \`blue-settings\`: \`data.patroni.yml\` | kubelet puts the files in place, and they are loaded | what is read at a start only is part of the Rollout, which is listed |
      | **none** | \`ms5:database:Rollout\` \`blue\`: \`settingsThatReload.work_mem\` | loaded on every member within seconds | PostgreSQL takes it while it runs |
      | **none** | \`ms5:database:Rollout\` \`blue\`: \`revision\` | every member is told of its new settings | what they do is listed by itself |

      </details>

      <details><summary>Full diff</summary>

      \`\`\`diff
          pulumi:pulumi:Stack ms5-prod unchanged
      !   kubernetes:core/v1:ConfigMap blue-settings to be updated
              data.patroni.yml: line 2: a → b
      !   ms5:database:Rollout blue to be updated
              settingsThatRestart.shared_buffers: 8GB → 12GB
              settingsThatReload.work_mem: 16MB → 32MB
              revision: aaaa → bbbb
      \`\`\`

      </details>

      <sub>Pulumi 3.256.0. What the words mean: docs/pull-requests.md</sub>
      "
    `);
  });

  it("of another image says that pods are replaced, with its cost", () => {
    const image = "spec.template.spec.containers[0].image";
    const cost = (total: number, nodes: number) => ({
      monthlyCost: { total, currency: "EUR", items: [{ name: "nodes", monthly: nodes }] },
    });
    expect(
      comment(
        [
          resource("update", "kubernetes:apps/v1:StatefulSet", "blue", [
            { property: image, before: "timescaledb:2.29.1", after: "timescaledb:2.29.2" },
          ]),
          resource("update", "ms5:database:Rollout", "blue", [
            { property: "pods", before: "1111", after: "2222" },
          ]),
          resource("update", "kubernetes:apps/v1:Deployment", "pooler", [
            { property: image, before: "pgbouncer:1.25.1", after: "pgbouncer:1.25.2" },
          ]),
        ],
        { outputsBefore: cost(1204.5, 804.5), outputs: cost(1310, 910) },
      ),
    ).toMatchInlineSnapshot(`
      "<!-- ms5-preview: prod -->

      ### \`prod\`: 3 to update, 0 to replace, 0 to delete; clients will see a short stall (≤ 6 s)

      **Replaced or restarted**

      - restarted: every database pod, one at a time, the primary last, because of \`pods\`
      - restarted: every pooler pod, one at a time, because of \`spec.template.spec.containers[0].image\`

      **What clients will notice**

      | clients | what changes | what happens | why |
      |---|---|---|---|
      | **stall, ≤ 6 s** | \`ms5:database:Rollout\` \`blue\`: \`pods\` | every member gets a new pod: replicas one by one, then a switchover, then the former primary | new transactions wait at the pooler while another member is promoted; a single member has nobody to switch to, and they wait for its restart |
      | **reconnect** | \`kubernetes:apps/v1:Deployment\` \`pooler\`: \`spec.template.spec.containers[0].image\` | each pooler pod is replaced, one at a time; the old one goes on for 10 s, then ends with its last transaction | connections to a pod end with it; another pod takes them |

      <details><summary>1 change that clients do not notice</summary>

      | clients | what changes | what happens | why |
      |---|---|---|---|
      | **none** | \`kubernetes:apps/v1:StatefulSet\` \`blue\`: \`spec.template.spec.containers[0].image\` | nothing by itself | members get new pods by their Rollout, which is listed |

      </details>

      **Cost**: 1,204.50 → 1,310.00 \`EUR\` a month, estimated (+105.50)

      | of | before | after | difference |
      |---|---|---|---|
      | \`nodes\` | 804.50 | 910.00 | +105.50 |

      <details><summary>Full diff</summary>

      \`\`\`diff
          pulumi:pulumi:Stack ms5-prod unchanged
      !   kubernetes:apps/v1:Deployment pooler to be updated
              spec.template.spec.containers[0].image: pgbouncer:1.25.1 → pgbouncer:1.25.2
      !   kubernetes:apps/v1:StatefulSet blue to be updated
              spec.template.spec.containers[0].image: timescaledb:2.29.1 → timescaledb:2.29.2
      !   ms5:database:Rollout blue to be updated
              pods: 1111 → 2222
      \`\`\`

      </details>

      <sub>Pulumi 3.256.0. What the words mean: docs/pull-requests.md</sub>
      "
    `);
  });

  it("of volumes that are replaced says that clients lose the database, and what is deleted", () => {
    expect(
      comment([
        resource("replace", "kubernetes:core/v1:PersistentVolumeClaim", "data-blue-0", [
          { property: "spec.storageClassName", before: "managed-csi", after: "managed-csi-premium" },
        ]),
        resource("replace", "tls:index/locallySignedCert:LocallySignedCert", "blue"),
        resource("replace", "tls:index/locallySignedCert:LocallySignedCert", "pooler"),
      ]),
    ).toMatchInlineSnapshot(`
      "<!-- ms5-preview: prod -->

      ### \`prod\`: 0 to update, 3 to replace, 0 to delete; clients will see an outage; **data is deleted**

      > [!CAUTION]
      > Deleted for good:
      > - \`kubernetes:core/v1:PersistentVolumeClaim data-blue-0\` (replaced): everything on the volume

      **Replaced or restarted**

      - replaced: \`kubernetes:core/v1:PersistentVolumeClaim\` \`data-blue-0\`, because of \`spec.storageClassName\`
      - replaced: \`tls:index/locallySignedCert:LocallySignedCert\` \`blue\`, \`pooler\`

      **What clients will notice**

      | clients | what changes | what happens | why |
      |---|---|---|---|
      | **outage** | \`kubernetes:core/v1:PersistentVolumeClaim\` \`data-blue-0\`: \`spec.storageClassName\` | the volume is deleted; a replacement is empty | its member has lost the database and copies it from the primary, as long as there is one |

      <details><summary>2 changes that clients do not notice</summary>

      | clients | what changes | what happens | why |
      |---|---|---|---|
      | **none** | \`tls:index/locallySignedCert:LocallySignedCert\` \`blue\`, \`pooler\` | new certificates and keys, put in place by kubelet within a minute or so | agent, PostgreSQL, Patroni, PgBouncer and HAProxy load them while they run |

      </details>

      <details><summary>Full diff</summary>

      \`\`\`diff
          pulumi:pulumi:Stack ms5-prod unchanged
      !   kubernetes:core/v1:PersistentVolumeClaim data-blue-0 to be replaced
              spec.storageClassName: managed-csi → managed-csi-premium
      !   tls:index/locallySignedCert:LocallySignedCert blue to be replaced
      !   tls:index/locallySignedCert:LocallySignedCert pooler to be replaced
      \`\`\`

      </details>

      <sub>Pulumi 3.256.0. What the words mean: docs/pull-requests.md</sub>
      "
    `);
  });

  it("shows the SQL of pending migrations, and of none that was applied", () => {
    const text = comment(
      [
        resource("update", "ms5:schema:Migrations", "migrations", [
          { property: "files.0010-maintenance.sql", after: "cd".repeat(32) },
          { property: "engineVersion", before: "1", after: "2" },
        ]),
      ],
      {},
      { "0010-maintenance.sql": "ALTER TABLE a ADD b int;\n-- ``` and <script>\n", "0009-old.sql": "OLD" },
    );
    expect(text).toMatchInlineSnapshot(`
      "<!-- ms5-preview: prod -->

      ### \`prod\`: 1 to update, 0 to replace, 0 to delete; clients may see a stall

      **What clients will notice**

      | clients | what changes | what happens | why |
      |---|---|---|---|
      | **stall** | \`ms5:schema:Migrations\` \`migrations\`: \`files.0010-maintenance.sql\` | the files run, each in a transaction; each waits for a table lock for \`migrations.lockTimeout\` at most (30 seconds by default) | who needs a table that a file changes waits until its transaction ends: read the SQL |

      <details><summary>1 change that clients do not notice</summary>

      | clients | what changes | what happens | why |
      |---|---|---|---|
      | **none** | \`ms5:schema:Migrations\` \`migrations\`: \`engineVersion\` | the database is compared with what is stated, and corrected | where it is as stated nothing happens |

      </details>

      **1 pending migration**

      <details><summary><code>0010-maintenance.sql</code></summary>

      \`\`\`\`sql
      ALTER TABLE a ADD b int;
      -- \`\`\` and <script>
      \`\`\`\`

      </details>

      <details><summary>Full diff</summary>

      \`\`\`diff
          pulumi:pulumi:Stack ms5-prod unchanged
      !   ms5:schema:Migrations migrations to be updated
              files.0010-maintenance.sql: (none) → cdcdcdcdcdcd…
              engineVersion: 1 → 2
      \`\`\`

      </details>

      <sub>Pulumi 3.256.0. What the words mean: docs/pull-requests.md</sub>
      "
    `);
  });

  it("shows a change that the table does not know as unknown, and never as harmless", () => {
    const text = comment([
      resource("update", "acme:x:Thing", "thing", [{ property: "a", before: 1, after: 2 }]),
    ]);
    expect(text).toContain("what clients will see is unknown: 1 change is not in the table of effects");
    expect(text).toContain("| **unknown**, at worst stall | `acme:x:Thing` `thing`: `a` |");
    expect(text).not.toContain("do not notice");
  });

  it("has violations of policies and warnings apart, each in full", () => {
    const policy = "requests-and-limits";
    const text = comment([resource("create", "a:b:C", "c")], {
      diagnostics: [
        { severity: "warning", resource: "blue", message: "no replica" },
        { severity: "warning", resource: "c", policy, message: "no limit" },
        { severity: "error", resource: "c", policy: "no-public-database", message: "public" },
        { severity: "info", message: "not for a reviewer" },
      ],
    });
    expect(text).toContain(
      [
        "**Policies that are violated**\n\n```\nc: public\n```",
        "**Policies that advise otherwise**\n\n```\nc: no limit\n```",
        "**Warnings**\n\n```\nblue: no replica\n```",
      ].join("\n\n"),
    );
    expect(text).not.toContain("not for a reviewer");
  });

  it("says of a failed preview what failed, and predicts nothing", () => {
    const diagnostics = [
      { severity: "error" as const, resource: "migrations", message: "0003.sql was edited" },
    ];
    const model = modelOf([resource("update", "ms5:database:Rollout", "blue")], { diagnostics });
    const result: Partial<StackResult> = { result: "failed" };
    expect(renderComment({ result: resultOf(model, result), model, sql: {} })).toMatchInlineSnapshot(`
      "<!-- ms5-preview: prod -->

      ### \`prod\`: the preview failed; what an \`up\` would do is not known

      **Errors**

      \`\`\`
      migrations: 0003.sql was edited
      \`\`\`

      <sub>Pulumi 3.256.0. What the words mean: docs/pull-requests.md</sub>
      "
    `);
  });

  it("says of a refused preview what to do", () => {
    expect(
      renderRefusal("prod", {
        message: 'stack "prod": cluster.memory is "8 GB"',
        fix: "write 8Gi",
      }),
    ).toMatchInlineSnapshot(`
      "<!-- ms5-preview: prod -->

      ### \`prod\`: the preview was refused; what an \`up\` would do is not known

      **Errors**

      \`\`\`
      stack "prod": cluster.memory is "8 GB"
        fix: write 8Gi
      \`\`\`
      "
    `);
  });
});

describe("what others wrote", () => {
  const evil = "x`|<!-- @team -->\n```\n</details>| [a](javascript:b) $&";

  it("gets in as code only: no mention, no HTML, no end of a cell or a fence", () => {
    const text = comment(
      [
        resource("update", "ms5:schema:RetentionPolicy", evil, [
          { property: "dropAfter", before: "90 days", after: evil },
        ]),
        resource("replace", evil, evil, [{ property: evil, before: evil, after: evil }]),
        resource("create", evil, "b"),
      ],
      { diagnostics: [{ severity: "error", message: evil }] },
    );
    // Cut away all code: what is left is ours.
    const ours = text
      .replaceAll(/^(`{3,})[^`\n]*\n.*?\n\1$/gms, "")
      .replaceAll(/(?<!`)(`+)(?!`).*?[^`]\1(?!`)/gs, "");
    expect(ours).not.toMatch(/@team|javascript|<!-- @/);
    const cells = (line: string) => line.split(/(?<!\\)\|/).length;
    const tables = text.split("\n\n").filter((part) => /^\|.*\|\n\|---/.test(part));
    expect(tables.length).toBeGreaterThan(1);
    for (const part of tables) {
      const widths = part
        .split("\n")
        .filter((line) => line.startsWith("|"))
        .map(cells);
      expect(new Set(widths).size, part).toBe(1);
    }
  });

  it("is never a secret: what the engine masked stays masked", () => {
    const text = comment([
      resource("update", "postgresql:index/role:Role", "ms5_writer", [
        { property: "password", before: "[secret]", after: "[secret]" },
      ]),
    ]);
    expect(text).toContain("password: [secret] → [secret]");
    expect(text).toContain("**reconnect**");
  });
});

describe("a comment that would be too long", () => {
  const name = fc.string({ maxLength: 400 });
  const any = fc.record({
    op: fc.constantFrom("create", "update", "replace", "delete"),
    type: fc.oneof(name, fc.constantFrom("ms5:schema:RetentionPolicy", "ms5:database:Rollout")),
    name,
    property: name,
    after: fc.string({ maxLength: 2_000 }),
  });

  it("says what it leaves out, and is never longer than GitHub takes", () => {
    fc.assert(
      fc.property(fc.array(any, { maxLength: 60 }), fc.nat(40_000), (resources, sqlLength) => {
        const diff = ({ property, after }: { property: string; after: string }) => [
          { property, before: "1", after },
        ];
        const files = Array.from({ length: 5 }, (_, index) => ({
          property: `files.${index}.sql`,
          after: "1",
        }));
        const text = comment(
          [
            ...resources.map((one, index) =>
              resource(one.op as "create", one.type, `${one.name}${index}`, diff(one)),
            ),
            resource("update", "ms5:schema:Migrations", "migrations", files),
          ],
          {
            diagnostics: resources.map(({ after }, index) => ({
              severity: "warning" as const,
              message: `${index}${after}`,
            })),
          },
          Object.fromEntries(files.map((_, index) => [`${index}.sql`, "`".repeat(sqlLength)])),
        );
        expect(text.length).toBeLessThanOrEqual(commentLimit);
        expect(text).toMatch(/^<!-- ms5-preview: prod -->\n\n### `prod`: /);
        expect(text).toMatch(/<sub>.*<\/sub>\n$/);
      }),
      { numRuns: 60 },
    );
  });

  it("keeps as much of the diff as there is room for", () => {
    const text = comment(
      Array.from({ length: 4_000 }, (_, index) => resource("delete", "a:b:C", `resource-${index}`)),
    );
    expect(text.length).toBeGreaterThan(commentLimit - 500);
    expect(text).toMatch(/… and \d+ more lines: `npm run preview` shows all\n\n<\/details>/);
  });

  it("leaves out the SQL of long migrations, by name", () => {
    const files = ["0010-long.sql", "0011-short.sql"].map((file) => ({
      property: `files.${file}`,
      after: "1",
    }));
    const text = comment(
      [resource("update", "ms5:schema:Migrations", "migrations", files)],
      {},
      {
        "0010-long.sql": "x".repeat(60_000),
        "0011-short.sql": "SELECT 1;",
      },
    );
    expect(text).toContain("Too long to show here: see `sql/migrations/0010-long.sql`");
    expect(text).toContain("SELECT 1;");
  });
});
