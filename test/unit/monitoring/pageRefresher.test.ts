import { beforeEach, describe, expect, it } from "vitest";
import { Refresher } from "../../../ops/monitoring/page/refresher.js";

/** A browser whose clock stands still until it is moved. */
class Surroundings {
  time = 0;
  isHidden = false;
  private timers: { at: number; run: () => void }[] = [];

  readonly now = () => this.time;
  readonly hidden = () => this.isHidden;
  readonly later = (run: () => void, wait: number) => {
    const timer = { at: this.time + wait, run };
    this.timers.push(timer);
    return timer;
  };
  readonly cancel = (timer: unknown) => {
    this.timers = this.timers.filter((one) => one !== timer);
  };

  async pass(seconds: number): Promise<void> {
    const end = this.time + seconds * 1000;
    for (;;) {
      const next = this.timers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.time = next.at;
      this.cancel(next);
      next.run();
      await settle();
    }
    this.time = end;
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

let surroundings: Surroundings;
let runs: number[];
/** What each run answers; it may take as long as it wants. */
let answer: () => Promise<number>;
let refresher: Refresher;

beforeEach(() => {
  surroundings = new Surroundings();
  runs = [];
  answer = async () => 0;
  refresher = new Refresher(
    () => {
      runs.push(surroundings.time / 1000);
      return answer();
    },
    60,
    surroundings,
  );
});

describe("it asks", () => {
  it("at once, and then in each interval", async () => {
    refresher.start();
    await settle();
    await surroundings.pass(150);
    expect(runs).toEqual([0, 60, 120]);
  });

  it("not while the tab is hidden, and at once when it is shown and it is time", async () => {
    refresher.start();
    await settle();
    surroundings.isHidden = true;
    refresher.visibilityChanged();
    await surroundings.pass(500);
    surroundings.isHidden = false;
    refresher.visibilityChanged();
    await settle();
    await surroundings.pass(60);
    expect(runs).toEqual([0, 500, 560]);
  });

  it("no earlier for a tab that was hidden for a moment", async () => {
    refresher.start();
    await settle();
    surroundings.isHidden = true;
    refresher.visibilityChanged();
    await surroundings.pass(10);
    surroundings.isHidden = false;
    refresher.visibilityChanged();
    await surroundings.pass(60);
    expect(runs).toEqual([0, 60]);
  });

  it("no earlier than it was told, and no more than that", async () => {
    answer = async () => 300;
    refresher.start();
    await settle();
    await surroundings.pass(299);
    expect(runs).toEqual([0]);
    answer = async () => 5;
    await surroundings.pass(61);
    expect(runs).toEqual([0, 300, 360]);
  });

  it("one at a time, however long one takes", async () => {
    let finish = (_: number) => {};
    answer = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    refresher.start();
    refresher.visibilityChanged();
    await surroundings.pass(200);
    expect(runs).toEqual([0]);
    answer = async () => 0;
    finish(0);
    await settle();
    await surroundings.pass(60);
    expect(runs).toEqual([0, 260]);
  });

  it("again right after the one under way, when it is asked to meanwhile", async () => {
    let finish = (_: number) => {};
    answer = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    refresher.start();
    refresher.now();
    refresher.now();
    answer = async () => 0;
    finish(0);
    await settle();
    expect(runs).toEqual([0, 0]);
  });

  it("no more when it was stopped, and at once when it starts again", async () => {
    refresher.start();
    await settle();
    refresher.stop();
    refresher.now();
    await surroundings.pass(100);
    expect(runs).toEqual([0]);
    refresher.start();
    await settle();
    expect(runs).toEqual([0, 100]);
  });

  it("again after an error that nobody foresaw", async () => {
    // Vitest would report the rejection as its own: it is one here, and in a browser it is a line of the console.
    const seen = new Promise((resolve) => process.once("unhandledRejection", resolve));
    answer = () => Promise.reject(new Error("not foreseen"));
    refresher.start();
    expect(await seen).toMatchObject({ message: "not foreseen" });
    answer = async () => 0;
    await surroundings.pass(60);
    expect(runs).toEqual([0, 60]);
  });
});
