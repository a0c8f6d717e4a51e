// Makes everything the browser loads: webui/static/dist from src, css, the templates' icons and the packages.
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const webui = dirname(here);
const dist = join(webui, "static", "dist");
const packages = join(here, "node_modules");

async function filesUnder(folder, pattern) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !path.includes("node_modules") && !path.includes(join("static", "dist")))
    .sort();
}

// Every src/<name>.js becomes dist/<name>.js; what a module imports only when needed gets a chunk of its own.
async function bundleScripts() {
  const entryPoints = await filesUnder(join(here, "src"), /\.js$/);
  await build({
    entryPoints,
    outbase: join(here, "src"),
    outdir: dist,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "eof",
    chunkNames: "chunks/[name]-[hash]",
    loader: { ".css": "empty" },
    logLevel: "warning",
  });
}

// Fonts stay files: the content security policy refuses data: addresses.
async function bundleStyles() {
  const entryPoints = await filesUnder(join(here, "css"), /\.css$/);
  await build({
    entryPoints,
    outdir: dist,
    entryNames: "[name]",
    assetNames: "fonts/[name]-[hash]",
    bundle: true,
    minify: true,
    legalComments: "eof",
    loader: { ".woff2": "file", ".woff": "file", ".ttf": "file", ".eot": "file", ".svg": "file" },
    external: ["/static/*"],
    logLevel: "warning",
  });
}

async function copyPackages() {
  const copies = [
    ["@tabler/core/dist/css/tabler.min.css", "tabler.min.css"],
    ["htmx.org/dist/htmx.min.js", "htmx.min.js"],
    ["htmx.org/dist/ext/hx-sse.min.js", "htmx-sse.min.js"],
  ];
  for (const [from, to] of copies) await cp(join(packages, from), join(dist, to));
}

// The names written as "#i-name", icon("name") or "icon": "name" in templates, views and scripts.
async function iconNames() {
  const names = new Map();
  const files = [
    ...(await filesUnder(webui, /\.(html|py|svg)$/)),
    ...(await filesUnder(join(here, "src"), /\.js$/)),
  ];
  for (const file of files) {
    const text = await readFile(file, "utf8");
    for (const match of text.matchAll(/#i-([a-z0-9-]*[a-z0-9])|\bicon\(\s*["']([a-z0-9-]+)["']|["']?icon["']?\s*[:=]\s*["']([a-z0-9-]+)["']/g)) {
      const name = match[1] ?? match[2] ?? match[3];
      names.set(name, [...(names.get(name) ?? []), file.slice(webui.length + 1)]);
    }
  }
  return new Map([...names].sort());
}

async function iconSymbol(name) {
  const filled = name.endsWith("-filled");
  const path = join(packages, "@tabler/icons/icons", filled ? "filled" : "outline", `${name.replace(/-filled$/, "")}.svg`);
  const svg = await readFile(path, "utf8");
  const shapes = svg
    .slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"))
    .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, "")
    .replace(/\s*\n\s*/g, "");
  const paint = filled
    ? 'fill="currentColor"'
    : 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';
  return `<symbol id="i-${name}" viewBox="0 0 24 24" ${paint}>${shapes}</symbol>`;
}

async function makeSprite() {
  const glyphs = await readFile(join(here, "glyphs.svg"), "utf8");
  const symbols = [...glyphs.matchAll(/<symbol[\s\S]*?<\/symbol>/g)].map((match) => match[0]);
  const missing = [];
  for (const [name, files] of await iconNames()) {
    try {
      symbols.push(await iconSymbol(name));
    } catch {
      missing.push(`  ${name} (${[...new Set(files)].join(", ")})`);
    }
  }
  if (missing.length) throw new Error(`Expected icons of @tabler/icons, there are none of these names:\n${missing.join("\n")}`);
  await writeFile(join(dist, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`);
  return symbols.length;
}

// A short hash of each file's content, for addresses that may be cached for ever.
async function writeManifest() {
  const manifest = {};
  for (const file of await readdir(dist, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath ?? file.path, file.name);
    manifest[path.slice(dist.length + 1)] = createHash("sha256").update(await readFile(path)).digest("hex").slice(0, 12);
  }
  const sorted = Object.fromEntries(Object.entries(manifest).sort());
  await writeFile(join(dist, "manifest.json"), JSON.stringify(sorted, null, 1) + "\n");
  return Object.keys(sorted).length;
}

try {
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  await Promise.all([bundleScripts(), bundleStyles(), copyPackages()]);
  const symbols = await makeSprite();
  const files = await writeManifest();
  console.log(`${basename(dist)}: ${files} files, ${symbols} symbols in the sprite`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
