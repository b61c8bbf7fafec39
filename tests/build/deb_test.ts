/**
 * The Debian package, really installed, upgraded, removed and purged by dpkg: in a copy of this
 * host's file system that is thrown away (overlayfs in a mount namespace of its own). A shell script
 * stands for the runtime of 95 MB, and one for systemctl.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeDeb } from "../../tools/package/deb.ts";
import { runTool } from "../../tools/package/tree.ts";
import { allOf, missingTool, skippedFor } from "../host_tools.ts";

const DATE = new Date("2026-11-28T12:00:00Z");

/** Says what it was called with, as the launcher calls the runtime. */
const RUNTIME = '#!/bin/sh\necho "runtime of VERSION: $*"\n';
const SYSTEMCTL = '#!/bin/sh\necho "$*" >>/tmp/systemctl.log\n';

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "aggvpn-deb-test-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function make(
  directory: string,
  version: string,
  name = version,
  compression: "xz" | "none" = "none",
): Promise<string> {
  const runtime = `${directory}/runtime`;
  await Deno.writeTextFile(runtime, RUNTIME.replace("VERSION", version));
  const out = `${directory}/${name}.deb`;
  const architecture = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
  const program = `// ${version}\n`;
  await makeDeb({ version, architecture, program, runtime, date: DATE, out, compression });
  return out;
}

function debTest(
  name: string,
  reason: string | undefined,
  body: (d: string) => Promise<void>,
): void {
  Deno.test({
    ...skippedFor(allOf(missingTool("dpkg-deb"), reason), name),
    fn: () => inDirectory(body),
  });
}

debTest("the package is the same bytes each time", undefined, async (directory) => {
  const [first, second] = [await make(directory, "1.0", "a"), await make(directory, "1.0", "b")];
  assertEquals(await Deno.readFile(first), await Deno.readFile(second));
});

debTest("the package has what a user looks for, and no conffiles", undefined, async (directory) => {
  const deb = await make(directory, "1.0");
  const list = await runTool("dpkg-deb", ["--contents", deb]);
  for (
    const line of [
      /-rwxr-xr-x root\/root .* 2026-11-28 .* \.\/usr\/bin\/aggvpn$/m,
      /-rw-r--r-- .* \.\/lib\/systemd\/system\/aggvpn@\.service$/m,
      /drwx------ .* \.\/etc\/aggvpn\/$/m,
      /\.\/usr\/share\/man\/man8\/aggvpn\.8\.gz$/m,
      /\.\/usr\/share\/man\/man5\/aggvpn\.toml\.5\.gz$/m,
      /\.\/usr\/share\/bash-completion\/completions\/aggvpn$/m,
      /\.\/usr\/share\/zsh\/vendor-completions\/_aggvpn$/m,
      /\.\/usr\/share\/doc\/aggvpn\/examples\/linux\/client\.toml$/m,
    ]
  ) assert(line.test(list), `${line}\n${list}`);
  await runTool("dpkg-deb", ["--extract", deb, `${directory}/files`]);
  const unit = await Deno.readTextFile(`${directory}/files/lib/systemd/system/aggvpn@.service`);
  assertStringIncludes(unit, "ExecStart=/usr/bin/aggvpn up ");
  assert(!unit.includes("/usr/local"));
  const control = await runTool("dpkg-deb", ["--info", deb]);
  assertStringIncludes(control, "Version: 1.0\n");
  assert(!control.includes("conffiles"));
});

debTest(
  "lintian finds no error in the package",
  missingTool("lintian"),
  async (directory) => {
    const deb = await make(directory, "1.0", "1.0", "xz");
    const args = ["--allow-root", "--fail-on", "error", "--no-cfg", deb];
    await runTool("lintian", args);
  },
);

/** Runs a script in the copy of the host, with this directory as /mnt and a systemd that is fake. */
async function inCopyOfHost(directory: string, script: string): Promise<string> {
  await Deno.writeTextFile(`${directory}/systemctl`, SYSTEMCTL, { mode: 0o755 });
  await Deno.writeTextFile(`${directory}/script`, `set -eu\n${script}`);
  const setUp = `set -eu
    mkdir ${directory}/layers && mount -t tmpfs tmpfs ${directory}/layers && cd ${directory}/layers
    mkdir upper work root
    mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
    mount -t tmpfs tmpfs root/run && mkdir -p root/run/systemd/system
    mount -t tmpfs tmpfs root/tmp && mount --bind ${directory} root/mnt
    mount --rbind /dev root/dev && mount --rbind /proc root/proc
    cp ${directory}/systemctl root/usr/bin/systemctl
    exec chroot root /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin sh /mnt/script`;
  return await runTool("unshare", ["--mount", "sh", "-c", setUp]);
}

/** Why there can be no copy of the host. */
function missingOverlay(): string | undefined {
  if (Deno.uid() !== 0) return "not root";
  const missing = missingTool("unshare");
  if (missing !== undefined) return missing;
  const script = "mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir upper work root && " +
    "mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root";
  const { success } = new Deno.Command("unshare", { args: ["--mount", "sh", "-c", script] })
    .outputSync();
  return success ? undefined : "overlay file systems cannot be mounted here";
}

const NEEDS_ROOT = missingOverlay();

debTest(
  "dpkg installs, upgrades, removes and purges the package",
  NEEDS_ROOT,
  async (directory) => {
    await make(directory, "1.0");
    await make(directory, "1.1");
    const output = await inCopyOfHost(
      directory,
      `log() { echo "== $1"; cat /tmp/systemctl.log 2>/dev/null || :; rm -f /tmp/systemctl.log; }
    dpkg() { /usr/bin/dpkg --force-depends "$@" >/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log >&2; exit 1; }; }
    dpkg --install /mnt/1.0.deb
    log installed
    aggvpn version | sed 's/run .*aggvpn.js/run FLAGS/'
    echo secret >/etc/aggvpn/secret
    mkdir -p /var/lib/aggvpn && echo 1 >/var/lib/aggvpn/home.clock
    dpkg --install /mnt/1.1.deb
    log upgraded
    aggvpn status | sed 's/run .*aggvpn.js/run FLAGS/'
    dpkg --remove aggvpn
    log removed
    ls /usr/bin/aggvpn /usr/lib/aggvpn 2>/dev/null || :
    cat /var/lib/aggvpn/home.clock
    dpkg --purge aggvpn
    log purged
    cat /etc/aggvpn/secret
    ls -d /var/lib/aggvpn 2>/dev/null || :
    rm /etc/aggvpn/secret
    /usr/bin/dpkg --audit`,
    );
    assertEquals(output.trimEnd().split("\n"), [
      "== installed",
      "daemon-reload",
      "runtime of 1.0: run FLAGS version",
      // Nothing was stopped before the new files were there.
      "== upgraded",
      "daemon-reload",
      "try-restart aggvpn@*.service",
      "runtime of 1.1: run FLAGS status",
      "== removed",
      "stop aggvpn@*.service",
      "daemon-reload",
      "1",
      "== purged",
      "daemon-reload",
      "secret",
    ]);
  },
);

debTest("dpkg does the same where there is no systemd", NEEDS_ROOT, async (directory) => {
  await make(directory, "1.0");
  await make(directory, "1.1");
  const output = await inCopyOfHost(
    directory,
    `rmdir /run/systemd/system
    dpkg() { /usr/bin/dpkg --force-depends "$@" >/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log >&2; exit 1; }; }
    dpkg --install /mnt/1.0.deb
    dpkg --install /mnt/1.1.deb
    mkdir -p /run/aggvpn && : >/run/aggvpn/no-socket.sock
    dpkg --purge aggvpn
    cat /tmp/systemctl.log 2>/dev/null || :
    ls -d /etc/aggvpn /usr/lib/aggvpn 2>/dev/null || :
    /usr/bin/dpkg --audit`,
  );
  assertEquals(output, "");
});
