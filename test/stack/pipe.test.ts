// `npm run preview | head`: the reader goes, and the run goes on to its end.
import { once } from "node:events";
import { afterAll, expect, it } from "vitest";
import { CommandStack } from "../support/commandStack";

const stack = new CommandStack("local", {});
afterAll(() => stack.remove());

it("ends as it would have when nobody reads what it says", async () => {
  const running = stack.begin(["preview", "local"]);
  await once(running.stderr, "data");
  running.stderr.destroy();
  running.stdout.destroy();
  const [exitCode] = await once(running, "exit");
  expect(exitCode).toBe(0);
});
