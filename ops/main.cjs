// Where `npm run …` begins. Plain CommonJS, because what is loaded before tsx is loaded twice as fast: it looks into every
// module that comes after it.
const usePulumi = ["start", "preview", "up", "refresh", "destroy"];

if (usePulumi.includes(process.argv[2])) require("@pulumi/pulumi/automation");

require("tsx/cjs/api").register();
// For what is imported only where it is needed.
require("tsx/esm/api").register();
require("./cli.ts");
