/** The schema as a list of its keys: one source for environment variables, error messages and docs/config.md. */
import { z } from "zod";
import { configSchema } from "./schema";

/** One key of the configuration that can be set: for environment variables, error messages and docs/config.md. */
export interface ConfigLeaf {
  readonly path: readonly string[];
  readonly key: string;
  readonly environmentVariable: string;
  readonly type: "string" | "boolean" | "integer" | "array" | "object";
  readonly description: string;
  readonly allowed: string;
  readonly example: string | undefined;
  readonly secret: boolean;
}

interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  description?: string;
  enum?: string[];
  unit?: string;
  example?: string;
  secret?: boolean;
}

/**
 * Every key that can be set, in the order of the schema. Worked out once: the config is loaded again for each step of
 * each resource.
 */
export const configLeaves: readonly ConfigLeaf[] = leavesOf(configSchema);

function leavesOf(wholeSchema: z.ZodType): ConfigLeaf[] {
  const leaves: ConfigLeaf[] = [];
  const walk = (schema: JsonSchema, path: string[]): void => {
    if (schema.properties !== undefined) {
      for (const [name, child] of Object.entries(schema.properties)) walk(child, [...path, name]);
      return;
    }
    leaves.push({
      path,
      key: path.join("."),
      environmentVariable: `MS5_${path.map(screamingSnake).join("_")}`,
      type: schema.type as ConfigLeaf["type"],
      description: schema.description ?? "",
      allowed: schema.enum?.map((value) => `\`${value}\``).join(", ") ?? schema.unit ?? schema.type ?? "",
      example: schema.example ?? schema.enum?.[0] ?? (schema.type === "boolean" ? "true" : undefined),
      secret: schema.secret ?? false,
    });
  };
  walk(z.toJSONSchema(wholeSchema, { unrepresentable: "any" }) as JsonSchema, []);
  return leaves;
}

function screamingSnake(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();
}
