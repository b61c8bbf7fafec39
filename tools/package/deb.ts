/**
 * The Debian package: the program and its runtime under /usr/lib, the unit, manual pages and
 * completions.
 *
 * The runtime is a file of its own, so nothing is unpacked when it starts. A tunnel that runs keeps
 * the files that it has open, and dpkg puts new ones in their place.
 *
 * @module
 */

import { COMMANDS } from "../../src/cli/commands.ts";
import { completionScript } from "../../src/cli/completion/scripts.ts";
import { RUN_FLAGS } from "../build/bundle.ts";
import { render } from "../build/template.ts";
import { writeManualPages } from "../man.ts";
import { runTool, Tree } from "./tree.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const NAME = "aggvpn";
const SCRIPTS = ["postinst", "prerm", "postrm"] as const;

/** What goes into a package. */
export interface DebOptions {
  readonly version: string;
  /** As Debian calls it. */
  readonly architecture: "amd64" | "arm64";
  /** Bundle of the program. */
  readonly program: string;
  /** Path of the Deno executable for that architecture. */
  readonly runtime: string;
  /** Time of everything in it. */
  readonly date: Date;
  /** Path of the package. */
  readonly out: string;
  /** As dpkg-deb(1) calls it. */
  readonly compression?: "xz" | "none";
}

/** Makes the package. Throws when dpkg-deb is missing. */
export async function makeDeb(options: DebOptions): Promise<void> {
  const { date, out, compression = "xz" } = options;
  const directory = await Deno.makeTempDir({ prefix: "aggvpn-deb-" });
  try {
    const tree = new Tree(`${directory}/tree`);
    await Deno.mkdir(tree.root, { mode: 0o755 });
    await Deno.chmod(tree.root, 0o755);
    await writeProgram(tree, options);
    await writeDocuments(tree, options, directory);
    await writeControl(tree, options);
    await tree.setTime(date);
    const seconds = `${Math.floor(date.getTime() / 1000)}`;
    // More threads would cut the data into other pieces.
    const args = ["--root-owner-group", "--threads-max=1", `-Z${compression}`, "--build"];
    await runTool("dpkg-deb", [...args, tree.root, out], { env: { SOURCE_DATE_EPOCH: seconds } });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function writeProgram(tree: Tree, options: DebOptions): Promise<void> {
  const { version, program, runtime } = options;
  const launcher = render(await Deno.readTextFile(`${ROOT}tools/package/launcher.sh`), {
    NAME,
    VERSION: version,
    FLAGS: RUN_FLAGS.join(" "),
  });
  await tree.write(`usr/bin/${NAME}`, launcher, 0o755);
  await tree.write(`usr/lib/${NAME}/${NAME}.js`, program);
  await tree.write(`usr/lib/${NAME}/${NAME}`, await Deno.readFile(runtime), 0o755);
  const unit = await Deno.readTextFile(`${ROOT}examples/systemd/aggvpn@.service`);
  await tree.write(
    `lib/systemd/system/${NAME}@.service`,
    unit.replaceAll("/usr/local/bin/", "/usr/bin/"),
  );
  await tree.makeDirectory(`etc/${NAME}`, 0o700);
}

async function writeDocuments(
  tree: Tree,
  { version, date }: DebOptions,
  directory: string,
): Promise<void> {
  const documents = `usr/share/doc/${NAME}`;
  for (const page of await writeManualPages(`${directory}/man`, date)) {
    const text = await Deno.readTextFile(`${directory}/man/${page}`);
    await tree.writeGzip(`usr/share/man/man${page.slice(-1)}/${page}.gz`, text);
  }
  await tree.copy(`${ROOT}examples`, `${documents}/examples`);
  await tree.write(
    `${documents}/copyright`,
    await Deno.readTextFile(`${ROOT}tools/package/deb/copyright`),
  );
  for (const guide of ["linux.md", "protocol.md"]) {
    await tree.writeGzip(
      `${documents}/${guide}.gz`,
      await Deno.readTextFile(`${ROOT}docs/${guide}`),
    );
  }
  await tree.writeGzip(
    `${documents}/NEWS.gz`,
    await Deno.readTextFile(`${ROOT}CHANGELOG.md`),
  );
  await tree.writeGzip(`${documents}/changelog.gz`, changelog(version, date));
  await tree.write(`usr/share/lintian/overrides/${NAME}`, OVERRIDES);
  const completions = {
    [`bash-completion/completions/${NAME}`]: "bash",
    [`zsh/vendor-completions/_${NAME}`]: "zsh",
    [`fish/vendor_completions.d/${NAME}.fish`]: "fish",
  } as const;
  for (const [path, shell] of Object.entries(completions)) {
    await tree.write(`usr/share/${path}`, completionScript(shell, COMMANDS));
  }
}

/** The runtime is what npm has, and nobody can link it otherwise. */
const OVERRIDES = `# The Deno runtime, as npm has it: with its libraries linked in.
${NAME}: embedded-library *
${NAME}: hardening-no-fortify-functions *
`;

async function writeControl(tree: Tree, options: DebOptions): Promise<void> {
  const files = await tree.files();
  const sizes = await Promise.all(files.map((file) => Deno.stat(`${tree.root}/${file}`)));
  const kilobytes = sizes.reduce((sum, { size }) => sum + Math.ceil(size / 1024), 0);
  const sums = await runTool("md5sum", ["--", ...files], { cwd: tree.root });
  await tree.write("DEBIAN/md5sums", sums);
  await tree.write("DEBIAN/control", control(options, kilobytes));
  for (const script of SCRIPTS) {
    const text = await Deno.readTextFile(`${ROOT}tools/package/deb/${script}`);
    await tree.write(`DEBIAN/${script}`, text, 0o755);
  }
}

/** Who makes the package, as Debian's tools are told: DEBFULLNAME and DEBEMAIL. */
function maintainer(): string {
  const name = Deno.env.get("DEBFULLNAME") ?? "The aggvpn authors";
  return `${name} <${Deno.env.get("DEBEMAIL") ?? "aggvpn@users.noreply.github.com"}>`;
}

function control({ version, architecture }: DebOptions, kilobytes: number): string {
  return `Package: ${NAME}
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer()}
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.27), libgcc-s1, iproute2
Recommends: nftables, procps, libssl3 | libssl3t64
Section: net
Priority: optional
Description: join several internet links into one encrypted tunnel
 Joins DSL, cable, LTE and satellite links into one tunnel between a gateway
 and a server. A single download uses the sum of all links, and nothing breaks
 when one of them does.
 .
 The package has the program for both ends, with its own JavaScript runtime.
`;
}

function changelog(version: string, date: Date): string {
  const day = date.toUTCString().replace("GMT", "+0000");
  return `${NAME} (${version}) unstable; urgency=medium

  * What is new for users is in NEWS.gz.

 -- ${maintainer()}  ${day}
`;
}
