// What a well-known linter of Kubernetes objects says of ours.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pinnedVersionOf } from "../../../ops/engine/toolCache";
import { ensureBuilt } from "../../cluster/tools";
import { silent } from "../../support/embedded";

const toolchain = "kube-score";

/**
 * `KIND/NAME: CHECK` of every critical finding and warning.
 *
 * @param objects with `apiVersion` and `kind`
 */
export async function kubeScore(objects: readonly object[]): Promise<string[]> {
  const bin = await ensureBuilt(
    {
      name: `kube-score ${pinnedVersionOf(toolchain, "github.com/zegl/kube-score")}`,
      toolchain,
      packages: ["github.com/zegl/kube-score/cmd/kube-score"],
      linkerFlags: "",
      takes: "one to two minutes",
      alternative: "skip this test",
    },
    silent,
    undefined,
  );
  const child = spawn(join(bin, "kube-score"), ["score", "--output-format", "json", "-"]);
  child.stdin.end(objects.map((object) => JSON.stringify(object)).join("\n---\n"));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (out === "") throw new Error(`kube-score says nothing: ${err}`);
  const scored = JSON.parse(out) as {
    type_meta: { kind: string };
    object_meta: { name: string };
    checks: { check: { id: string }; grade: number; skipped: boolean }[] | null;
  }[];
  return scored
    .flatMap(({ type_meta, object_meta, checks }) =>
      (checks ?? [])
        .filter(({ grade, skipped }) => !skipped && grade < allOk)
        .map(({ check }) => `${type_meta.kind}/${object_meta.name}: ${check.id}`),
    )
    .sort();
}

/** kube-score's grade for nothing to say; warnings are 5, critical findings 1. */
const allOk = 10;
