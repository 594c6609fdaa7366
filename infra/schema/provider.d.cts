import type { dynamic } from "@pulumi/pulumi";
import type { Kind } from "./handlers";

/** The provider of one kind of schema resource in a stack; see provider.cjs for why it is not TypeScript. */
export function schemaProvider(kind: Kind, stack: string): dynamic.ResourceProvider;
