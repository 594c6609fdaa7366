/** What the npm package declares of Azure's resources: their inputs, their outputs, and what their ids consist of. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  classBody,
  enumsIn,
  interfaceBody,
  interfacesIn,
  type Properties,
  readProperties,
} from "./declarations";

export interface ResourceTypes {
  /** `azure-native:storage:StorageAccount` */
  readonly token: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
  /** The inputs that its id is made of, e.g. `resourceGroupName` and `accountName`: those that find it again. */
  readonly path: readonly string[];
  /** Of Azure's API, e.g. `2024-01-01`; a few kinds have none. */
  readonly apiVersion: string | undefined;
}

const folder = dirname(require.resolve("@pulumi/azure-native/package.json"));

const resources = new Map<string, ResourceTypes | undefined>();
const texts = new Map<string, string>();
const interfaces = new Map<string, ReadonlyMap<string, string>>();
const objects = new Map<string, Properties>();
const enums = new Map<string, ReadonlyMap<string, ReadonlySet<string | number>>>();

/** The types of a kind of resource; undefined when the package has none. @param token e.g. `azure-native:storage:StorageAccount` */
export function resourceTypes(token: string): ResourceTypes | undefined {
  return cached(resources, token, () => readResource(token));
}

/** The properties of a nested object. @param name e.g. `inputs.storage.EncryptionArgs` */
export function objectTypes(name: string): Properties {
  return cached(objects, name, () => {
    const [direction = "", module = "", type = ""] = name.split(".");
    const body = cached(interfaces, `${direction}.${module}`, () =>
      interfacesIn(namespaceText(`types/${direction.slice(0, -1)}.d.ts`, module)),
    ).get(type);
    if (body === undefined) throw new Error(`@pulumi/azure-native declares no ${name}`);
    return readProperties(body);
  });
}

/** The values of an enum. @param name e.g. `enums.storage.Kind` */
export function enumValues(name: string): ReadonlySet<string | number> {
  const [, module = "", type = ""] = name.split(".");
  const values = cached(enums, module, () => enumsIn(read(`types/enums/${module}/index.d.ts`))).get(type);
  if (values === undefined) throw new Error(`@pulumi/azure-native declares no ${name}`);
  return values;
}

function readResource(token: string): ResourceTypes | undefined {
  const [, module = "", type = ""] = token.split(":");
  const file = fileOf(module, type);
  if (file === undefined) return undefined;
  const text = read(file);
  const [inputs, outputs] = [interfaceBody(text, `${type}Args`), classBody(text, type)];
  if (inputs === undefined || outputs === undefined) return undefined;
  return {
    token,
    inputs: readProperties(inputs),
    outputs: readProperties(outputs),
    path: pathOf(module, type),
    apiVersion: /Uses Azure REST API version ([\w-]+)\./.exec(text)?.[1],
  };
}

/** What the function that looks the resource up cannot do without. */
function pathOf(module: string, type: string): string[] {
  const file = fileOf(module, `get${type}`);
  const body = file === undefined ? undefined : interfaceBody(read(file), `Get${type}Args`);
  return [...readProperties(body ?? "")].filter(([, { optional }]) => !optional).map(([name]) => name);
}

/** Files begin in lower case, however many capitals the name begins with: `publicIPAddress`, `wcfrelay`. */
function fileOf(module: string, name: string): string | undefined {
  const within = join(folder, module);
  if (!/^\w+$/.test(module) || !existsSync(within)) return undefined;
  const wanted = `${name}.d.ts`.toLowerCase();
  const file = readdirSync(within).find((one) => one.toLowerCase() === wanted);
  return file === undefined ? undefined : join(module, file);
}

/** One module's part of a file of 8 MB, of which a program needs a few. */
function namespaceText(file: string, module: string): string {
  const text = cached(texts, file, () => read(file));
  const start = text.indexOf(`\nexport declare namespace ${module} {`);
  return start < 0 ? "" : text.slice(start, text.indexOf("\n}", start) + 1);
}

function read(file: string): string {
  return readFileSync(join(folder, file), "utf8");
}

function cached<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  return made;
}
