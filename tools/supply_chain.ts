/**
 * Checks what this program takes from others, and writes `docs/sbom.cdx.json`, its bill of materials
 * (CycloneDX 1.6), of deno.lock: `--write` after a change of dependencies; without it whatever
 * differs is an error. Licences are those that the packages state themselves.
 *
 * @module
 */

const ROOT = new URL("..", import.meta.url).pathname;
const SBOM = `${ROOT}docs/sbom.cdx.json`;
/** Licences of which parts may be shipped under ours, or used to develop. */
const LICENCES = new Set(["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "0BSD"]);

/** The parts of deno.lock that are read. */
export interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, { readonly integrity?: string }>>;
}

interface ModuleGraph {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, { readonly dependencies: readonly string[] }>>;
}

/** Splits `@scope/name@1.2.3_peer@4` into the name and the version without peers. */
export function parsePackageId(id: string): { readonly name: string; readonly version: string } {
  const at = id.indexOf("@", 1);
  return { name: id.slice(0, at), version: id.slice(at + 1).split("_")[0]! };
}

/** Says what is wrong with a lock and its imports: nothing, one would hope. */
export function supplyFaults(
  lock: Lock,
  imports: Readonly<Record<string, string>>,
  licenceOf: (id: string) => string | undefined,
): readonly string[] {
  const faults: string[] = [];
  for (const specifier of Object.values(imports).filter((target) => target.startsWith("npm:"))) {
    if (!/@\d+\.\d+\.\d+\/?$/.test(specifier)) faults.push(`${specifier} is not an exact version`);
  }
  for (const [id, { integrity }] of Object.entries(lock.npm)) {
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")) {
      faults.push(`${id} lacks its sha512`);
    }
    const licence = licenceOf(id);
    if (licence === undefined) faults.push(`${id} states no licence`);
    else if (!LICENCES.has(licence)) faults.push(`${id} is under ${licence}`);
  }
  return faults;
}

/** Makes the bill of materials: the same bytes of the same lock, so without a time or a serial. */
export function makeSbom(
  lock: Lock,
  version: string,
  shipped: ReadonlySet<string>,
  licenceOf: (id: string) => string | undefined,
): string {
  const components = Object.entries(lock.npm).map(([id, { integrity }]) => {
    const { name, version } = parsePackageId(id);
    const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
    return {
      type: "library",
      "bom-ref": id,
      name,
      version,
      scope: shipped.has(id) ? "required" : "excluded",
      hashes: [{ alg: "SHA-512", content: hexOf(integrity?.replace("sha512-", "") ?? "") }],
      licenses: [{ license: { id: licenceOf(id) } }],
      purl,
    };
  });
  const component = { type: "application", name: "aggvpn", version, "bom-ref": "aggvpn" };
  const bom = { bomFormat: "CycloneDX", specVersion: "1.6", version: 1, metadata: { component } };
  return JSON.stringify({ ...bom, components }, null, 2) + "\n";
}

function hexOf(base64: string): string {
  return Array.from(atob(base64), (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

async function deno(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args, stderr: "inherit", cwd: ROOT });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}

/** Packages that the modules of the program and of the page import, and what these depend on. */
async function shippedPackages(): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const entry of ["main.ts", "web/main.ts"]) {
    const info: ModuleGraph = JSON.parse(await deno("info", "--json", entry));
    const add = (id: string): void => {
      if (ids.has(id)) return;
      ids.add(id);
      info.npmPackages[id]?.dependencies.forEach(add);
    };
    for (const { npmPackage } of info.modules) if (npmPackage !== undefined) add(npmPackage);
  }
  return ids;
}

async function main(): Promise<void> {
  const lock: Lock = JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`));
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const cache = `${JSON.parse(await deno("info", "--json")).npmCache}/registry.npmjs.org`;
  const licenceOf = (id: string): string | undefined => {
    const { name, version } = parsePackageId(id);
    return JSON.parse(Deno.readTextFileSync(`${cache}/${name}/${version}/package.json`)).license;
  };
  const faults = [...supplyFaults(lock, config.imports, licenceOf)];
  if (config.lock?.frozen !== true) faults.push("deno.json does not freeze the lock");
  const sbom = makeSbom(lock, config.version, await shippedPackages(), licenceOf);
  if (Deno.args.includes("--write")) await Deno.writeTextFile(SBOM, sbom);
  else if (await Deno.readTextFile(SBOM).catch(() => "") !== sbom) {
    faults.push("docs/sbom.cdx.json is not of this deno.lock: tools/supply_chain.ts --write");
  }
  const text = faults.map((fault) => `supply chain: ${fault}\n`).join("");
  await Deno.stderr.write(new TextEncoder().encode(text));
  if (faults.length > 0) Deno.exit(1);
}

if (import.meta.main) await main();
