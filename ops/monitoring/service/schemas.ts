// Shapes that several endpoints share; the OpenAPI document is made from them.
import { z } from "zod";
import { problemType } from "./problem";
import { relationNames } from "./relations";

export const instant = z.iso.datetime().describe("ISO 8601, UTC");
export const bytes = z.number().describe("Bytes");
export const seconds = z.number().describe("Seconds");
export const relationName = z.enum(relationNames);
export const relationKind = z.enum(["table", "aggregate"]);
export const ratio = z.number().describe("0 to 1");

/** For endpoints without parameters: then every one is unknown. */
export const noParameters = z.strictObject({});

const problem = z.object({
  type: z.literal("about:blank"),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  instance: z.string().describe("urn:uuid of this one request, as in the log"),
});

const problemResponse = (description: string) => ({
  description,
  content: { [problemType]: { schema: problem } },
});

/** Errors every endpoint can give. */
export const commonProblems = {
  400: problemResponse("A parameter is wrong or unknown"),
  429: problemResponse("Too many requests; Retry-After says when"),
  500: problemResponse("Our fault; `instance` names the line in the log"),
  503: problemResponse("The database, or what tokens are checked with, is not available"),
} as const;

/** Errors of endpoints that want a token. */
export const accessProblems = {
  ...commonProblems,
  401: problemResponse("No token, or one that is not valid here"),
  403: problemResponse("The token lacks the role"),
} as const;

export const notFound = problemResponse("There is no such machine or metric");

/** Value of `security` in the OpenAPI document. */
export const bearer = [{ bearer: [] as string[] }];
