import type { Client } from "pg";
import type { StackConfig } from "../../config";

/** What every resource of the schema carries besides its own properties. */
export interface Common {
  /** See {@link engineVersion}. */
  engineVersion: string;
}

/**
 * Raised when what a handler does in the database changes. The code itself is no input of a resource, so without
 * this a new way of doing things would never reach what is already deployed.
 */
export const engineVersion = "1";

/** A connection that acts as the owner of the schema, and the stack's config as it is now. */
export interface Session {
  readonly client: Client;
  readonly config: StackConfig;
}

/**
 * One kind of resource: `Inputs` is what the program states, and also what `live` reads back, so that a drift is
 * a difference of the two.
 */
export interface Handler<Inputs extends object> {
  /** Properties that cannot be changed in place. */
  readonly replaceOn: readonly (keyof Inputs & string)[];
  /** Whether the database can hold two of them at once while one replaces the other. */
  readonly deleteBeforeReplace: boolean;
  /**
   * What would be refused, found before anything changes.
   * @param olds the inputs of the last deployment; empty for a new resource
   */
  check?(olds: Partial<Inputs>, news: Inputs, config: StackConfig): Promise<Failure[]>;
  id(inputs: Inputs): string;
  /** What a new resource needs before it is applied; not called for one that the stack knows already. */
  beforeCreate?(session: Session, inputs: Inputs): Promise<void>;
  /** Makes the database be as stated, whatever it was: creating, adopting and changing are the same. */
  apply(session: Session, inputs: Inputs): Promise<void>;
  /** What the database has; undefined when there is nothing. */
  live(session: Session, inputs: Inputs): Promise<Inputs | undefined>;
  /** Takes it away; leaves telemetry where it is unless the config says otherwise. */
  remove(session: Session, inputs: Inputs): Promise<void>;
}

export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/**
 * Thrown when a part was done: the resource is kept with what it has, and the next `up` does the rest.
 * The shape is what Pulumi's dynamic provider turns into a partially failed resource.
 */
export class PartlyApplied<Inputs extends object> extends Error {
  readonly reasons: string[];

  constructor(
    reason: string,
    readonly done: Inputs,
  ) {
    super(reason);
    this.reasons = [reason];
  }
}
