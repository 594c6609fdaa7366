import { describe, expect, it } from "vitest";
import { awayFailure, failureOf } from "../../../ops/monitoring/page/failures.js";

describe("a refusal", () => {
  it.each([
    [401, "signIn"],
    [403, "forbidden"],
    [429, "busy"],
    [500, "unavailable"],
    [503, "unavailable"],
    [504, "unavailable"],
    [400, "refused"],
    [404, "refused"],
  ])("with status %d is %s", (status, kind) => {
    expect(failureOf(status, {}, null).kind).toBe(kind);
  });

  it("says what the service says is wrong with the request", () => {
    expect(failureOf(400, { title: "Bad request", detail: "no such metric" }, null).message).toBe(
      "The service refused this: no such metric",
    );
    expect(failureOf(404, { title: "Not found" }, null).message).toContain("Not found");
    expect(failureOf(418, {}, null).message).toContain("status 418");
  });

  it("says what the service says about a database that is away", () => {
    expect(failureOf(503, { detail: "too many requests wait for the database" }, "1").message).toBe(
      "Too many requests wait for the database.",
    );
    expect(failureOf(503, {}, null).message).toBe("The service cannot answer at the moment.");
  });

  it("does not repeat what a failing service says about itself", () => {
    expect(failureOf(500, { detail: "secret host" }, null).message).not.toContain("secret");
  });

  it.each([
    ["30", 30],
    ["0", 0],
    ["1.2", 2],
    ["86400", 600],
    ["-1", 60],
    ["", 60],
    ["Wed, 21 Oct 2026 07:28:00 GMT", 60],
    [null, 60],
  ])("for too many requests with Retry-After %j waits %d s", (header, seconds) => {
    expect(failureOf(429, {}, header).retryAfterSeconds).toBe(seconds);
  });

  it("waits with a database that is away only when it is told to", () => {
    expect(failureOf(503, {}, null).retryAfterSeconds).toBe(0);
    expect(failureOf(503, {}, "5").retryAfterSeconds).toBe(5);
  });
});

it("tells no answer from a late one", () => {
  expect(awayFailure(false)).toMatchObject({ kind: "away", message: "The service does not answer." });
  expect(awayFailure(true)).toMatchObject({ kind: "away", message: "The service takes too long." });
});
