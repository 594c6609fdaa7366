// The workflows as GitHub's own rules see them, by a well-known linter of them: syntax, contexts, types, needs, permissions.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { pinnedVersionOf } from "../../ops/engine/toolCache";
import { projectRoot } from "../../ops/paths";
import { ensureBuilt } from "../cluster/tools";
import { silent } from "../support/embedded";

const toolchain = "actionlint";
const module = "github.com/rhysd/actionlint";
const workflows = join(projectRoot, ".github", "workflows");

describe("actionlint", () => {
  let program: string;

  beforeAll(async () => {
    const build = {
      name: `actionlint ${pinnedVersionOf(toolchain, module)}`,
      toolchain,
      packages: [`${module}/cmd/actionlint`],
      linkerFlags: "",
      takes: "half a minute",
      alternative: "skip this test",
    };
    program = join(await ensureBuilt(build, silent, undefined), "actionlint");
  }, 600_000);

  /** Its findings, one a line. Without the linters of scripts that it finds on some machines and not on others. */
  function lint(files: readonly string[]): string {
    const args = ["-no-color", "-oneline", "-shellcheck=", "-pyflakes=", ...files];
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", cwd: projectRoot });
    if (status !== 0 && status !== 1) throw new Error(`actionlint did not work: ${stderr}`);
    return stdout;
  }

  it("has nothing to say of our workflows", () => {
    expect(lint(readdirSync(workflows).map((file) => join(workflows, file)))).toBe("");
  });

  it("would say it of a workflow with a mistake", () => {
    const folder = mkdtempSync(join(tmpdir(), "ms5-workflows-"));
    try {
      const wrong = join(folder, "wrong.yml");
      copyFileSync(join(workflows, "ci.yml"), wrong);
      writeFileSync(wrong, "\n  more:\n    needs: nobody\n    runs-on: ubuntu-24.04\n    steps: []\n", {
        flag: "a",
      });
      expect(lint([wrong])).toContain('job "more" needs job "nobody"');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
