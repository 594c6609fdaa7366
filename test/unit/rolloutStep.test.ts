import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MemberState, nextStep, type Step } from "../../infra/database/rollout/nextStep";

const fine: MemberState = {
  name: "blue-0",
  role: "replica",
  ready: true,
  current: true,
  informed: true,
  pendingRestart: false,
};
const primary: MemberState = { ...fine, role: "primary" };
const trio = (...changes: Partial<MemberState>[]): MemberState[] =>
  [primary, fine, fine].map((member, index) => ({ ...member, name: `blue-${index}`, ...changes[index] }));

describe("the next step of a rollout", () => {
  it.each<[string, MemberState[], Step]>([
    ["all are as they should be", trio(), { do: "nothing" }],
    [
      "replicas come before the primary",
      trio({ current: false }, { current: false }, { current: false }),
      { do: "replace", member: "blue-2" },
    ],
    [
      "one at a time",
      trio({ current: false }, { current: false }, { ready: false, role: undefined }),
      { do: "wait", for: "blue-2 to be ready" },
    ],
    ["the primary last, by a switchover", trio({ current: false }), { do: "switch over", member: "blue-0" }],
    [
      "a restart is enough for a setting",
      trio({ pendingRestart: true }, {}, { pendingRestart: true }),
      { do: "restart", member: "blue-2" },
    ],
    [
      "a primary's restart is a switchover too",
      trio({ pendingRestart: true }),
      { do: "switch over", member: "blue-0" },
    ],
    [
      "nothing before all know what is to hold",
      trio({}, { informed: false }, { pendingRestart: true }),
      { do: "wait", for: "blue-1 to read its new settings" },
    ],
    [
      "an outdated one cannot know",
      trio({}, { informed: false, current: false }),
      { do: "replace", member: "blue-1" },
    ],
    [
      "one that fails with what is being corrected",
      trio({}, { ready: false, current: false, role: undefined }),
      { do: "replace", member: "blue-1" },
    ],
    ["without a primary", trio({ role: "replica" }), { do: "wait", for: "a primary" }],
    [
      "alone there is nobody to switch to",
      [{ ...primary, current: false }],
      { do: "replace", member: "blue-0" },
    ],
  ])("%s", (_, members, step) => {
    expect(nextStep(members)).toEqual(step);
  });

  it("ends with every member current, without ever taking a second one away or replacing the primary", () => {
    const member = fc.record({ current: fc.boolean(), pendingRestart: fc.boolean() });
    fc.assert(
      fc.property(fc.array(member, { minLength: 2, maxLength: 5 }), (changes) => {
        let members = changes.map((change, index) => ({
          ...fine,
          name: `blue-${index}`,
          role: index === 0 ? "primary" : "replica",
          ...change,
        })) as MemberState[];
        for (let turn = 0; turn < 50; turn++) {
          const step = nextStep(members);
          if (step.do === "nothing") {
            expect(members.every(({ current, pendingRestart }) => current && !pendingRestart)).toBe(true);
            return;
          }
          members = after(members, step);
        }
        expect.fail("it does not end");
      }),
    );
  });
});

/** What a step does to a cluster in which everything goes well. */
function after(members: MemberState[], step: Step): MemberState[] {
  if (step.do === "wait" || step.do === "nothing") expect.fail(`unexpected: ${JSON.stringify(step)}`);
  const at = members.findIndex(({ name }) => name === step.member);
  const found = members[at];
  if (found === undefined) return expect.fail(`no member ${step.member}`);
  if (step.do === "switch over") {
    const successor = members.findIndex(({ role }) => role === "replica");
    return members.map((member, index) =>
      index === at
        ? { ...member, role: "replica", pendingRestart: false }
        : index === successor
          ? { ...member, role: "primary" }
          : member,
    );
  }
  expect(found.role).toBe("replica");
  const done = step.do === "replace" ? { current: true, pendingRestart: false } : { pendingRestart: false };
  return members.map((member, index) => (index === at ? { ...member, ...done } : member));
}
