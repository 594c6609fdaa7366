export interface ProviderPlace {
  /** CommonJS file that exports `provider(...args)`, from the checkout's root. */
  readonly file: string;
  readonly args: readonly string[];
}

/**
 * The source of a dynamic provider, which Pulumi stores with each resource, twice, and runs from there.
 *
 * `pulumi.dynamic.Resource` makes such a source by serialising a provider object. That is 4 kB for ours, of 5 kB that a
 * resource has in the state, the state is written anew at every step, and the text depends on the loader that ran the
 * program. So it is written here, and does no more than find the checkout and load the provider from it.
 */
export function providerSource({ file, args }: ProviderPlace): string {
  return `exports.handler = () => {
  const { existsSync } = require("node:fs");
  const { dirname, join } = require("node:path");
  let root = process.env.MS5_ROOT ?? process.cwd();
  const file = () => join(root, ${JSON.stringify(file)});
  while (!existsSync(file()) && dirname(root) !== root) root = dirname(root);
  if (!existsSync(file())) throw new Error("ms5-timescale: run this stack inside its checkout, or set MS5_ROOT to it");
  return require(file()).provider(...${JSON.stringify(args)});
};
`;
}
