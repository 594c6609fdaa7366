// What a rule is. Rules are pure: what index.ts makes of them, and which findings exceptions.yaml lets through, is not theirs.
import { shown, unknown, type Value, type Values } from "./values";

/** A resource as the program asks for it, before it is made or changed. */
export interface CheckedResource {
  /** As Pulumi spells it: `azure-native:storage:StorageAccount`. */
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** Inputs; of a stack rule's resources, outputs. Secrets are opened: a message must not show them. */
  readonly values: Values;
  /** Paths of what Pulumi keeps as a secret. */
  readonly secrets: ReadonlySet<string>;
  /** Whether Pulumi refuses to delete it. */
  readonly protect: boolean;
}

export interface RuleContext {
  /** Whose rules hold: `dev`, `prod`. Empty when the pack runs without a stack. */
  readonly environment: string;
  /** What is configured of this rule. */
  readonly config: Values;
}

export interface Finding {
  /** What is wrong, and what to change. */
  readonly message: string;
  /** false: the value is known only in an `up`, which checks it again. */
  readonly certain: boolean;
}

interface Rule {
  readonly name: string;
  /** What must hold, and why. */
  readonly description: string;
}

export interface ResourceRule extends Rule {
  /** Of what can be configured of it, JSON schemas with defaults. */
  readonly configSchema?: Readonly<
    Record<string, { type: "array"; items: { type: "string" }; default: string[] }>
  >;
  check(resource: CheckedResource, context: RuleContext): Finding[];
}

/** Looks at all resources at the end of a preview, and of an `up`: when they are there already. */
export interface StackRule extends Rule {
  checkStack(resources: readonly CheckedResource[], context: RuleContext): Finding[];
}

export function broken(message: string): Finding {
  return { message, certain: true };
}

export function undecided(property: string): Finding {
  return {
    message: `${property} is known only after up: up checks it, and stops there if it is wrong`,
    certain: false,
  };
}

/** What is wrong with one property: nothing where `holds`. */
export function demand(
  property: string,
  value: Value,
  holds: (value: Value) => boolean,
  fix: string,
): Finding[] {
  if (value === unknown) return [undecided(property)];
  return holds(value) ? [] : [broken(`${property} is ${shown(value)}: ${fix}`)];
}
