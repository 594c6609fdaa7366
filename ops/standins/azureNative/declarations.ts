/**
 * Reads the declarations (`.d.ts`) of the npm package: the only schema of Azure's resources that it ships. They come
 * from one generator and use few forms of TypeScript, so a small reader does, which spares a preview the loading of
 * the compiler. A form that it doesn't know is an error.
 */

export type Shape =
  | { readonly kind: "any" | "string" | "number" | "boolean" }
  | { readonly kind: "literal"; readonly value: string }
  /** By its full name, e.g. `inputs.storage.EncryptionArgs`, `enums.storage.Kind`. */
  | { readonly kind: "object" | "enum"; readonly name: string }
  | { readonly kind: "list"; readonly items: Shape }
  | { readonly kind: "map"; readonly values: Shape }
  | { readonly kind: "oneOf"; readonly options: readonly Shape[] };

export interface Property {
  readonly shape: Shape;
  readonly optional: boolean;
}

/** By their names. */
export type Properties = ReadonlyMap<string, Property>;

/** The properties of a class or an interface. @param body what stands between its braces, without comments */
export function readProperties(body: string): Properties {
  return new Reader(body).properties();
}

/** The bodies of the interfaces in a namespace, by name, without comments. */
export function interfacesIn(namespace: string): ReadonlyMap<string, string> {
  const found = withoutComments(namespace).matchAll(/^ {4}interface (\w+) \{\n([\s\S]*?)^ {4}\}/gm);
  return new Map([...found].map(([, name = "", body = ""]) => [name, body]));
}

/** The body of an exported interface at the top of a file, without comments. */
export function interfaceBody(file: string, name: string): string | undefined {
  return bodyAfter(file, `export interface ${name} {\n`);
}

/** The properties of the exported class in a file: what its constructor and its static methods are is left out. */
export function classBody(file: string, name: string): string | undefined {
  return bodyAfter(file, `export declare class ${name} extends pulumi.CustomResource {\n`)?.replace(
    /^ {4}(static|constructor)\b.*\n/gm,
    "",
  );
}

/** The values of each enum in a file, by the enum's name. */
export function enumsIn(file: string): ReadonlyMap<string, ReadonlySet<string | number>> {
  const found = withoutComments(file).matchAll(/^export declare const (\w+): \{\n([\s\S]*?)^\};/gm);
  return new Map([...found].map(([, name = "", body = ""]) => [name, enumValues(body)]));
}

function enumValues(body: string): ReadonlySet<string | number> {
  const values = [...body.matchAll(/: (".*"|-?[\d.]+);$/gm)].map(([, value = ""]) => JSON.parse(value));
  return new Set(values);
}

function bodyAfter(file: string, start: string): string | undefined {
  const from = file.indexOf(start);
  if (from < 0) return undefined;
  return withoutComments(file.slice(from + start.length, file.indexOf("\n}", from) + 1));
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, "");
}

const plain: ReadonlySet<string> = new Set(["any", "string", "number", "boolean"]);

class Reader {
  private readonly tokens: readonly string[];
  private at = 0;

  constructor(text: string) {
    this.tokens = text.match(/[\w.$]+|"[^"]*"|\S/g) ?? [];
  }

  properties(): Properties {
    const properties = new Map<string, Property>();
    while (this.at < this.tokens.length) {
      this.skip("readonly");
      const name = this.next().replaceAll('"', "");
      const optional = this.skip("?");
      this.expect(":");
      properties.set(name, { optional, shape: this.shape() });
      this.expect(";");
    }
    return properties;
  }

  private shape(): Shape {
    const options: Shape[] = [];
    do {
      // What may be undefined is marked as optional too.
      if (!this.skip("undefined")) options.push(this.lists(this.single()));
    } while (this.skip("|"));
    const [only] = options;
    if (only === undefined) throw this.unexpected("undefined");
    return options.length === 1 ? only : { kind: "oneOf", options };
  }

  private lists(shape: Shape): Shape {
    if (!this.skip("[")) return shape;
    this.expect("]");
    return this.lists({ kind: "list", items: shape });
  }

  private single(): Shape {
    const token = this.next();
    if (plain.has(token)) return { kind: token as "any" };
    if (token.startsWith('"')) return { kind: "literal", value: token.slice(1, -1) };
    if (/^(inputs|outputs)\./.test(token)) return { kind: "object", name: token };
    if (token.startsWith("enums.")) return { kind: "enum", name: token };
    if (token.startsWith("pulumi.asset.")) return { kind: "any" };
    if (token === "pulumi.Input" || token === "pulumi.Output") return this.within("<", ">");
    if (token === "(") {
      this.at--;
      return this.within("(", ")");
    }
    if (token !== "{") throw this.unexpected(token);
    for (const part of ["[", "key", ":", "string", "]", ":"]) this.expect(part);
    const values = this.shape();
    this.expect(";");
    this.expect("}");
    return { kind: "map", values };
  }

  private within(open: string, close: string): Shape {
    this.expect(open);
    const shape = this.shape();
    this.expect(close);
    return shape;
  }

  private next(): string {
    return this.tokens[this.at++] ?? "";
  }

  private skip(token: string): boolean {
    if (this.tokens[this.at] !== token) return false;
    this.at++;
    return true;
  }

  private expect(token: string): void {
    const found = this.next();
    if (found !== token) throw this.unexpected(found);
  }

  private unexpected(token: string): Error {
    const before = this.tokens.slice(Math.max(this.at - 12, 0), this.at).join(" ");
    return new Error(
      `a declaration of @pulumi/azure-native has a form that is not known: "${token}" in: ${before}`,
    );
  }
}
