/** What a command has found: with `--json` one object, else text for a person. On stdout alone. */
export function answer({ json }: { readonly json: boolean }, value: object, text: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text()}\n`);
}
