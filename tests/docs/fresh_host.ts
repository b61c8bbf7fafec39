/**
 * A host that was just installed, for commands of documents: its own network, and its own /etc, /run,
 * /var/lib and /usr/local/bin, where nothing of aggvpn is yet.
 *
 * Its systemctl starts what the unit says, which is all that matters of systemd here.
 *
 * @module
 */

import type { Lab } from "../../lab/namespaces.ts";
import type { Child } from "../../lab/process.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** What programs look for in /etc. */
const OF_ETC =
  "ld.so.cache ld.so.conf ld.so.conf.d nsswitch.conf hosts passwd group iproute2 protocols services";

/** Makes the directories; the shell goes on in them. */
const PREPARE = `set -e
kept=$(mktemp -d)
for name in ${OF_ETC}; do [ ! -e /etc/$name ] || cp -a /etc/$name $kept/; done
mount -t tmpfs tmpfs /etc
cp -a $kept/. /etc/
rm -r $kept
for directory in /run /var/lib /usr/local/bin; do mount -t tmpfs -o mode=755 tmpfs $directory; done
mkdir -p /run/systemd/system
cat >/usr/local/bin/systemctl <<'END'
#!/bin/sh
case "$1 $2" in
"daemon-reload ") exit ;;
"enable --now") unit=$3 ;;
*) echo "systemctl $*: not here" >&2; exit 1 ;;
esac
name=\${unit#aggvpn@}
command=$(sed -n 's/^ExecStart=//p' /etc/systemd/system/aggvpn@.service | sed "s/%i/$name/")
setsid $command >/run/$name.log 2>&1 </dev/null &
END
chmod 755 /usr/local/bin/systemctl
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd ${ROOT}
set +e
echo prepared
`;

/** What a command has said, and how it ended. */
export interface Answer {
  readonly code: number;
  readonly output: string;
}

/** A host in a namespace of the lab. */
export class FreshHost {
  readonly namespace: string;
  readonly #shell: Child;
  #count = 0;

  private constructor(namespace: string, shell: Child) {
    this.namespace = namespace;
    this.#shell = shell;
  }

  /** Makes a host of a namespace. */
  static async open(lab: Lab, namespace: string): Promise<FreshHost> {
    const command = ["unshare", "--mount", "--propagation", "private", "sh"];
    const shell = lab.spawn(namespace, command, { stdin: true });
    await shell.write(PREPARE);
    if (await shell.line() !== "prepared") throw new Error(shell.stderr.join("\n"));
    return new FreshHost(namespace, shell);
  }

  /** Runs a command line that reads `input`, as it would be typed. */
  async run(line: string, input = ""): Promise<Answer> {
    const end = `end ${++this.#count} `;
    await this.write("/run/input", input);
    await this.#shell.write(`{ ${line}\n} </run/input >/run/output 2>/run/errors`);
    await this.#shell.write(`code=$?; cat /run/output /run/errors; echo; echo "${end}$code"`);
    const lines: string[] = [];
    for (;;) {
      const next = await this.#shell.line();
      if (next === undefined) throw new Error(`The shell ended: ${line}`);
      if (next.startsWith(end)) {
        return { code: Number(next.slice(end.length)), output: lines.join("\n") };
      }
      lines.push(next);
    }
  }

  /** Runs a command line in the background. */
  async start(line: string): Promise<void> {
    await this.#shell.write(`${line} >/run/started.log 2>&1 </dev/null &`);
  }

  /** Writes a file, with its directory. */
  async write(path: string, text: string): Promise<void> {
    const directory = path.slice(0, path.lastIndexOf("/"));
    const mark = `END_OF_${crypto.randomUUID().replaceAll("-", "_")}`;
    await this.#shell.write(
      `mkdir -p ${directory}; (umask 077; cat >${path} <<'${mark}'\n${text}\n${mark}\n)`,
    );
  }
}
