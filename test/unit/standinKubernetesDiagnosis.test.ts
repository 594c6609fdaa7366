import { describe, expect, it } from "vitest";
import { diagnose } from "../../ops/standins/kubernetes/diagnosis";
import type { Objects } from "../../ops/standins/kubernetes/objects";

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "crashing-1", namespace: "db", uid: "1" },
  spec: { containers: [{ name: "main" }] },
  status: {
    phase: "Running",
    conditions: [{ type: "Ready", status: "False" }],
    containerStatuses: [
      {
        name: "main",
        ready: false,
        restartCount: 2,
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { exitCode: 3 } },
      },
    ],
  },
};

/** @param answers of the log endpoint, one a question; an error is thrown */
function objects(answers: (string | Error)[]) {
  const asked: boolean[] = [];
  const fake = {
    list: async () => [],
    log: async (_pod: unknown, _container: string, _lines: number, previous: boolean) => {
      asked.push(previous);
      const answer = answers[asked.length - 1] ?? "";
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return { asked, fake: fake as unknown as Objects };
}

const lastLines = "the last lines of Pod db/crashing-1, container main:\n    no such table\n    giving up";

describe("the last lines of a crashed container", () => {
  it("are those of the run before this one", async () => {
    const { asked, fake } = objects(["no such table\ngiving up\n"]);
    expect(await diagnose(fake, pod)).toContain(lastLines);
    expect(asked).toEqual([true]);
  });

  it("are found while the kubelet is starting it again", async () => {
    const removed = "unable to retrieve container logs for containerd://0f3a";
    const { asked, fake } = objects([
      new Error("previous terminated container not found"),
      removed,
      "no such table\ngiving up\n",
    ]);
    expect(await diagnose(fake, pod)).toContain(lastLines);
    expect(asked).toEqual([true, false, true]);
  });

  it("are left out when there are none", async () => {
    expect((await diagnose(objects([]).fake, pod)).join("\n")).not.toContain("last lines");
  });
});
