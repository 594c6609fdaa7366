// The agent of the database pods is Python, for the images' sake; so are its tests. Where this machine has no Python they
// run in the e2e image only.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../ops/paths";

const python = spawnSync("python3", ["--version"]).status === 0;

describe.skipIf(!python)("the agent of the database pods", () => {
  it("passes its own tests", { timeout: 60_000 }, () => {
    const agent = join(projectRoot, "infra/database/agent");
    const tests = join(projectRoot, "test/agent");
    const { status, stderr } = spawnSync("python3", ["-m", "unittest", "discover", "-s", tests], {
      encoding: "utf8",
      env: { ...process.env, PYTHONPATH: `${agent}:${tests}`, PYTHONDONTWRITEBYTECODE: "1" },
    });
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/Ran [1-9]\d* tests/);
  });
});
