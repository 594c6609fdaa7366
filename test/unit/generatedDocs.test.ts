import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { generatedDocs, generatedFile } from "../../ops/commands/docs";

it.each(Object.entries(generatedDocs))(
  "docs/%s is what `npm run ops -- docs` writes",
  async (name, generate) => {
    expect(await readFile(generatedFile(name as keyof typeof generatedDocs), "utf8")).toBe(generate());
  },
);
