// For dynamic providers, which run from the checkout without a loader that was there before them.
let registered = false;

/** Lets `import()` find TypeScript: for what is imported only where it is needed. Once for all providers of a process. */
exports.allowLateImports = () => {
  if (!registered) require("tsx/esm/api").register();
  registered = true;
};
