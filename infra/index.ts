// What a plain `pulumi up` runs.
import { program } from "./program";

export = program;
