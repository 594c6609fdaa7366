// The programs of ops/monitoring as pods get them, purely of the repository's files: the same files give the same bytes.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { BuildResult } from "esbuild";

export interface Bundle {
  /** A JSON object of files' texts by name, compressed; as base64. */
  readonly archive: string;
  readonly digest: string;
}

const root = join(__dirname, "../..");

/** Kubernetes takes ConfigMaps up to 1 MiB. */
const limit = 1_000_000;

let made: Bundle | undefined;

/**
 * Bundles them, once a process. That takes a second, so what came of it is kept until one of the files changes.
 *
 * @param kept where
 * @throws Error when they do not compile, or no ConfigMap could hold them any more
 */
export function bundlePrograms(kept = join(root, "node_modules/.cache/ms5-programs.json")): Bundle {
  made ??= known(kept) ?? make(kept);
  return made;
}

interface Kept {
  readonly bundle: Bundle;
  /** Of every file that is in it, by path from the root: size and time of change. */
  readonly marks: Readonly<Record<string, string>>;
}

function known(file: string): Bundle | undefined {
  try {
    const { bundle, marks } = JSON.parse(readFileSync(file, "utf8")) as Kept;
    const isSame = Object.entries(marks).every(([path, mark]) => markOf(path) === mark);
    return isSame ? bundle : undefined;
  } catch {
    // It is not there, or one of its files is not any more.
    return undefined;
  }
}

function markOf(path: string): string {
  const { size, mtimeMs } = statSync(join(root, path));
  return `${size} ${mtimeMs}`;
}

function make(kept: string): Bundle {
  const { text, sources } = program();
  const page = pageFiles();
  const bundle = pack({
    "main.cjs": text,
    ...Object.fromEntries(
      Object.entries(page).map(([name, path]) => [`page/${name}`, readFileSync(join(root, path), "utf8")]),
    ),
  });
  // The folders too: a file more is a change.
  const paths = [...sources, ...Object.values(page), pageFolder];
  const marks = Object.fromEntries(paths.map((path) => [path, markOf(path)]));
  mkdirSync(dirname(kept), { recursive: true });
  // Whole or not at all: another process may read it now.
  const draft = `${kept}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ bundle, marks } satisfies Kept));
  renameSync(draft, kept);
  return bundle;
}

const pageFolder = "ops/monitoring/page";

/** Paths of the page's files from the repository's root, by how the page asks for them. */
export function pageFiles(): Record<string, string> {
  const ours = readdirSync(join(root, pageFolder)).filter((name) => /\.(html|css|js|svg)$/.test(name));
  return {
    ...Object.fromEntries(ours.map((name) => [name, `${pageFolder}/${name}`])),
    "assets/uplot/uPlot.esm.js": "node_modules/uplot/dist/uPlot.esm.js",
    "assets/uplot/uPlot.min.css": "node_modules/uplot/dist/uPlot.min.css",
  };
}

function program(): { text: string; sources: string[] } {
  // Only where it is needed: it starts a process.
  const { buildSync } = require("esbuild") as typeof import("esbuild");
  const { outputFiles, metafile }: BuildResult<{ write: false; metafile: true }> = buildSync({
    entryPoints: [join(root, "ops/monitoring/main.ts")],
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    // Debian's in tests; the default image has a newer one.
    target: "node20",
    format: "cjs",
    minify: true,
    write: false,
    metafile: true,
    // pg looks for it, and does without.
    external: ["pg-native"],
    legalComments: "none",
    logLevel: "silent",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("ops/monitoring/main.ts compiles to nothing");
  return { text: file.text, sources: Object.keys(metafile.inputs) };
}

function pack(texts: Record<string, string>): Bundle {
  const packed = gzipSync(JSON.stringify(texts), { level: 9 });
  if (packed.length > limit) {
    throw new Error(`the programs of monitoring are ${packed.length} bytes, and a ConfigMap holds ${limit}`);
  }
  const digest = createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 16);
  return { archive: packed.toString("base64"), digest };
}
