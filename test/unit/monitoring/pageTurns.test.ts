import { expect, it } from "vitest";
import { Turns } from "../../../ops/monitoring/page/turns.js";

/** Work that ends when it is told to. */
function work(name: string, begun: string[]) {
  let end = () => {};
  const promise = new Promise<string>((resolve) => {
    end = () => resolve(name);
  });
  return {
    end: () => end(),
    run: () => {
      begun.push(name);
      return promise;
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

it("lets one begin when the one before has ended, and what is urgent before the others", async () => {
  const turns = new Turns();
  const begun: string[] = [];
  const [a, b, c] = [work("a", begun), work("b", begun), work("c", begun)];
  const results = [turns.take(a.run), turns.take(b.run), turns.take(c.run, true)];
  await settle();
  expect(begun).toEqual(["a"]);
  a.end();
  await settle();
  expect(begun).toEqual(["a", "c"]);
  c.end();
  b.end();
  expect(await Promise.all(results)).toEqual(["a", "b", "c"]);
  expect(begun).toEqual(["a", "c", "b"]);
});

it("goes on after a failure, which is told to who took that turn", async () => {
  const turns = new Turns();
  const failed = turns.take(() => Promise.reject(new Error("no")));
  const next = turns.take(async () => "yes");
  await expect(failed).rejects.toThrow("no");
  expect(await next).toBe("yes");
  expect(await turns.take(async () => "later")).toBe("later");
});
