// What actionlint (test/e2e/workflows.test.ts) does not know: rules of ours on who may do what, and what the scripts in the
// workflows do.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "../../ops/paths";
import { deployedEnvironments } from "../../ops/preview/affectedStacks";
import { commentMarker } from "../../ops/preview/comment";
import { driftMarker } from "../../ops/preview/driftIssue";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly strategy?: { readonly matrix: { readonly stack: unknown } };
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = join(projectRoot, ".github", "workflows");
const files = readdirSync(folder);
const text = (file: string) => readFileSync(join(folder, file), "utf8");
const workflow = (file: string) => parse(text(file)) as Workflow;
/** An expression of GitHub's. */
const given = (text: string) => `\${{ ${text} }}`;
const jobs = files.flatMap((file) =>
  Object.entries(workflow(file).jobs).map(([name, job]) => ({ of: `${file}, job ${name}`, file, name, job })),
);

function jobOf(file: string, name: string): Job {
  const job = workflow(file).jobs[name];
  if (job === undefined) throw new Error(`${file} has no job ${name}`);
  return job;
}

describe.each(files)("%s", (file) => {
  it("knows no stored secret", () => {
    expect(text(file).match(/\bsecrets\b.*/g) ?? []).toEqual([]);
  });

  it("pins every action by its commit, and says which version that is", () => {
    for (const [, line = ""] of text(file).matchAll(/^\s*(?:- )?uses: (.*)$/gm)) {
      expect(line).toMatch(
        /^(\.\/\.github\/workflows\/\S+\.yml|[\w-]+\/[\w.-]+@[0-9a-f]{40} # v\d+(\.\d+)*)$/,
      );
    }
  });

  it("pins an action to one commit everywhere", () => {
    const pins = new Set(
      files.flatMap((one) => [...text(one).matchAll(/uses: (\S+@.*)$/gm)].map(([, pin]) => pin)),
    );
    const actions = new Set([...pins].map((pin) => pin?.split("@")[0]));
    expect(pins.size).toBe(actions.size);
  });

  it("is started by nobody from outside with rights of ours", () => {
    expect(Object.keys(workflow(file).on)).not.toContain("pull_request_target");
    expect(Object.keys(workflow(file).on)).not.toContain("workflow_run");
  });

  it("gives nothing to jobs that ask for nothing", () => {
    expect(workflow(file).permissions).toEqual({});
  });
});

describe.each(jobs)("$of", ({ job }) => {
  it("asks for no more than it uses", () => {
    const steps = job.steps ?? [];
    const uses = (what: string) => steps.some((step) => JSON.stringify(step).includes(what));
    const { contents, ...others } = job.permissions ?? {};
    expect(job.permissions).toBeDefined();
    expect([undefined, "read"]).toContain(contents);
    const expected = {
      ...((uses("azure/login@") || job.uses !== undefined) && { "id-token": "write" }),
      ...(uses("listComments") && { "pull-requests": "write" }),
      ...(uses("listForRepo") && { issues: "write" }),
    };
    expect(others).toEqual(expected);
  });

  it("does not run for ever", () => {
    if (job.uses === undefined) expect(job["timeout-minutes"]).toBeGreaterThan(0);
  });

  it("lets no text of others become a program", () => {
    for (const { run, with: inputs } of job.steps ?? []) {
      expect(run ?? "").not.toContain("${{");
      expect(String(inputs?.script ?? "")).not.toContain("${{");
    }
  });

  it("runs commands that there are", () => {
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
    for (const { run } of job.steps ?? []) {
      for (const [, script] of (run ?? "").matchAll(/npm run --silent (\S+)/g)) {
        expect(Object.keys(scripts)).toContain(script);
      }
    }
  });

  it("leaves no token behind in the checkout", () => {
    for (const { uses, with: inputs } of job.steps ?? []) {
      if (uses?.startsWith("actions/checkout@")) expect(inputs?.["persist-credentials"]).toBe(false);
    }
  });
});

describe.each(jobs.filter(({ job }) => JSON.stringify(job).includes("azure/login@")))(
  "the login in $of",
  ({ job, file }) => {
    const steps = job.steps ?? [];

    it("is that of the environment, by variables", () => {
      const login = steps.find(({ uses }) => uses?.startsWith("azure/login@"));
      expect(login?.with).toEqual({
        "client-id": given("vars.AZURE_CLIENT_ID"),
        "tenant-id": given("vars.AZURE_TENANT_ID"),
        "subscription-id": given("vars.AZURE_SUBSCRIPTION_ID"),
      });
      // With the approvals of `up`; the one that only reads has none.
      const stack = file === "up-stack.yml" ? given("inputs.stack") : `${given("matrix.stack")}-preview`;
      expect(job.environment).toBe(stack);
    });

    it("comes after the packages' own scripts", () => {
      const at = (what: (step: Step) => boolean | undefined) => steps.findIndex((step) => what(step));
      const install = at(({ run }) => run === "npm ci");
      expect(install).toBeGreaterThan(-1);
      expect(install).toBeLessThan(at(({ uses }) => uses?.startsWith("azure/login@")));
    });

    it("is not used without a state that others see too", () => {
      const [guard] = steps;
      expect(guard?.if).toBe("vars.PULUMI_BACKEND_URL == ''");
      expect(guard?.run).toMatch(/exit 1\n$/);
      expect(JSON.stringify(job)).toContain(`"PULUMI_BACKEND_URL":"${given("vars.PULUMI_BACKEND_URL")}"`);
    });

    it("works on one stack at a time", () => {
      expect(job.concurrency?.group).toMatch(/-\$\{\{ (inputs|matrix)\.stack \}\}(-|$)/);
      if (file !== "preview.yml") expect(job.concurrency?.["cancel-in-progress"]).toBe(false);
    });
  },
);

describe("up", () => {
  const { affected, ...stacks } = workflow("up.yml").jobs;

  it("goes through the environments in their order", () => {
    expect(affected).toBeDefined();
    expect(Object.keys(stacks)).toEqual(deployedEnvironments);
  });

  it.each(Object.entries(stacks))(
    "of %s waits for those before it, and is left out where nothing changes",
    (stack, job) => {
      const before = deployedEnvironments.slice(0, deployedEnvironments.indexOf(stack as "dev"));
      expect([job.needs].flat()).toEqual(["affected", ...before]);
      expect(job.if).toBe(
        `\${{ !failure() && !cancelled() && contains(fromJSON(needs.affected.outputs.stacks), '${stack}') }}`,
      );
      expect(job.uses).toBe("./.github/workflows/up-stack.yml");
      expect(job.with).toEqual({ stack });
    },
  );
});

describe("drift", () => {
  it("is looked for in every environment that is deployed", () => {
    expect(jobOf("drift.yml", "drift").strategy?.matrix.stack).toEqual(deployedEnvironments);
  });

  it("is looked for without recording it", () => {
    const runs = (jobOf("drift.yml", "drift").steps ?? []).map(({ run }) => run ?? "");
    expect(runs.filter((run) => /npm run --silent (up|refresh|destroy)/.test(run))).toEqual([
      'npm run --silent refresh -- "$STACK" --markdown > drift.md',
    ]);
  });
});

describe("a pull request from a fork", () => {
  it("gets no job with rights", () => {
    const ours = "github.event.pull_request.head.repo.full_name == github.repository";
    expect(jobOf("preview.yml", "affected").if).toBe(ours);
    expect(jobOf("preview.yml", "preview").needs).toBe("affected");
    expect(jobOf("preview.yml", "fork").permissions).toEqual({});
  });
});

/** A GitHub that notes what it is asked to do. */
class FakeGitHub {
  readonly done: unknown[] = [];
  readonly failed: string[] = [];

  constructor(
    private readonly there: readonly {
      number?: number;
      id?: number;
      user: { login: string };
      body: string | null;
    }[],
  ) {}

  /** Runs the script of a step, with a file that it reads. */
  async run(script: unknown, file: string, env: Readonly<Record<string, string>>): Promise<void> {
    const note = (what: string) => async (args: object) => this.done.push([what, args]);
    const issues = Object.fromEntries(
      ["createComment", "updateComment", "create", "update"].map((name) => [name, note(name)]),
    );
    const named = {
      github: { rest: { issues }, paginate: async () => this.there },
      context: {
        repo: { owner: "factory", repo: "db" },
        issue: { number: 7 },
        serverUrl: "https://github.example",
        runId: 99,
      },
      core: { setFailed: (why: string) => this.failed.push(why) },
      require: () => ({ readFileSync: () => file }),
      process: { env },
    };
    const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
    await AsyncFunction(...Object.keys(named), String(script))(...Object.values(named));
  }
}

function scriptOf(file: string, job: string): unknown {
  return jobOf(file, job).steps?.find(({ uses }) => uses?.startsWith("actions/github-script@"))?.with?.script;
}

const bot = { login: "github-actions[bot]" };
const where = { owner: "factory", repo: "db" };

describe("the comment of a preview", () => {
  const script = scriptOf("preview.yml", "preview");
  const comment = `${commentMarker("prod")}\n\n### prod`;
  const env = { STACK: "prod", COMMIT: "abc" };
  const run = "[this run](https://github.example/factory/db/actions/runs/99)";

  it("is made once, with the commit it is about", async () => {
    const others = [
      { id: 1, user: bot, body: `${commentMarker("dev")}\n` },
      { id: 2, user: { login: "mallory" }, body: `${commentMarker("prod")}\n` },
      { id: 3, user: bot, body: null },
    ];
    const github = new FakeGitHub(others);
    await github.run(script, comment, env);
    const body = `${comment}\n<sub>Of commit abc, by ${run}.</sub>\n`;
    expect(github.done).toEqual([["createComment", { ...where, issue_number: 7, body }]]);
  });

  it("is updated from then on", async () => {
    const github = new FakeGitHub([{ id: 5, user: bot, body: `${commentMarker("prod")}\nold` }]);
    await github.run(script, comment, env);
    expect(github.done).toMatchObject([["updateComment", { ...where, comment_id: 5 }]]);
  });

  it("that says nothing fails the job", async () => {
    const github = new FakeGitHub([]);
    await github.run(script, "\n", env);
    expect(github.done).toEqual([]);
    expect(github.failed).toEqual(["the preview said nothing: see its log"]);
  });
});

describe("the issue on drift", () => {
  const script = scriptOf("drift.yml", "drift");
  const differs = `${driftMarker("prod")}\n\n2 of the resources`;
  const open = [
    { number: 3, user: { login: "mallory" }, body: `${driftMarker("prod")}` },
    { number: 4, user: bot, body: `${driftMarker("prod")}\nold` },
  ];
  const look = async (there: typeof open, file: string, LOOKED = "success") => {
    const github = new FakeGitHub(there);
    await github.run(script, file, { STACK: "prod", LOOKED });
    return github.done;
  };

  it("is opened, then kept up to date", async () => {
    expect(await look([], differs)).toEqual([["create", { ...where, title: "Drift: prod", body: differs }]]);
    expect(await look(open, differs)).toEqual([["update", { ...where, issue_number: 4, body: differs }]]);
  });

  it("is closed when nothing differs any more", async () => {
    expect(await look([], "")).toEqual([]);
    expect(await look(open, "")).toMatchObject([
      ["createComment", { issue_number: 4 }],
      ["update", { issue_number: 4, state: "closed" }],
    ]);
  });

  it("is left alone by a look that failed without a word", async () => {
    expect(await look(open, "", "failure")).toEqual([]);
    expect(await look(open, differs, "failure")).toHaveLength(1);
  });
});
