// The SDK's types are made from Grafana's own schema, and say what JSON Grafana reads. `any` apart, they are checked here at
// run time: the dashboards are JSON by then, and a builder lets through what its type does not say (a number too many, a name of
// an option that another kind of panel has).
import { join } from "node:path";
import ts from "typescript";
import { projectRoot } from "../../../ops/paths";

const sdk = join(projectRoot, "node_modules/@grafana/grafana-foundation-sdk/dist");

export class SdkSchema {
  private readonly program: ts.Program;
  private readonly checker: ts.TypeChecker;

  /** @param modules of the SDK whose types are asked for: `dashboard`, `stat` */
  constructor(modules: readonly string[]) {
    this.program = ts.createProgram(modules.map(fileOf), { strict: true, noEmit: true, skipLibCheck: true });
    this.checker = this.program.getTypeChecker();
  }

  /** What in a JSON value the type `module.name` has not, or has otherwise; empty when it fits. */
  problems(value: unknown, module: string, name: string): string[] {
    return this.check(value, this.typeOf(module, name), name);
  }

  private typeOf(module: string, name: string): ts.Type {
    const file = this.program.getSourceFile(fileOf(module));
    const symbol = file && this.checker.getSymbolAtLocation(file);
    const found =
      symbol && this.checker.getExportsOfModule(symbol).find((exported) => exported.name === name);
    if (found === undefined) throw new Error(`the SDK has no ${module}.${name}`);
    return this.checker.getDeclaredTypeOfSymbol(found);
  }

  private check(value: unknown, type: ts.Type, at: string): string[] {
    if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return [];
    if (type.isUnion()) {
      const each = type.types.map((one) => this.check(value, one, at));
      // Of several that don't fit, the one that nearly does says most.
      return each.sort((a, b) => a.length - b.length)[0] ?? [];
    }
    if (type.isLiteral()) return value === type.value ? [] : [`${at} is ${JSON.stringify(value)}`];
    if (Array.isArray(value)) {
      if (!this.checker.isArrayType(type)) return [`${at} is a list`];
      const [element] = this.checker.getTypeArguments(type as ts.TypeReference);
      return element === undefined ? [] : value.flatMap((one, i) => this.check(one, element, `${at}[${i}]`));
    }
    if (typeof value === "object" && value !== null) return this.checkObject(value, type, at);
    return fits(value, type, this.checker) ? [] : [`${at} is ${JSON.stringify(value)}`];
  }

  private checkObject(value: object, type: ts.Type, at: string): string[] {
    if (!(type.flags & ts.TypeFlags.Object) || this.checker.isArrayType(type)) return [`${at} is an object`];
    const byName = this.checker.getIndexInfoOfType(type, ts.IndexKind.String)?.type;
    // Methods are the builders', and in no JSON.
    const properties = new Map(
      type
        .getProperties()
        .filter((property) => !(property.flags & ts.SymbolFlags.Method))
        .map((property) => [property.name, property]),
    );
    const missing = [...properties.values()]
      .filter(({ name, flags }) => !(flags & ts.SymbolFlags.Optional) && !(name in value))
      .map(({ name }) => `${at}.${name} is missing`);
    const wrong = Object.entries(value).flatMap(([name, inner]) => {
      const property = properties.get(name);
      const expected = property === undefined ? byName : this.checker.getTypeOfSymbol(property);
      return expected === undefined
        ? [`${at}.${name} is unknown`]
        : this.check(inner, expected, `${at}.${name}`);
    });
    return [...missing, ...wrong];
  }
}

function fits(value: unknown, type: ts.Type, checker: ts.TypeChecker): boolean {
  const kinds: Readonly<Record<string, ts.TypeFlags>> = {
    string: ts.TypeFlags.String,
    number: ts.TypeFlags.Number,
    boolean: ts.TypeFlags.Boolean,
  };
  if (value === null) return (type.flags & ts.TypeFlags.Null) !== 0;
  // `true` and `false` are two types of their own.
  if (type.flags & ts.TypeFlags.BooleanLiteral) return checker.typeToString(type) === String(value);
  return (type.flags & (kinds[typeof value] ?? 0)) !== 0;
}

function fileOf(module: string): string {
  return join(sdk, module, "types.gen.d.ts");
}
