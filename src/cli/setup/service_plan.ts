/**
 * What makes a service manager run a tunnel: systemd, or rc.d(8) of OpenBSD.
 *
 * @module
 */

import { serviceFile } from "./service_files.ts";

/** What is asked of the service manager. */
export interface ServiceWish {
  /** Now. */
  readonly start: boolean;
  /** At boot. */
  readonly enable: boolean;
}

/** What has to be done for that, in order. */
export interface ServicePlan {
  /** Files to write, unless something else has them already. */
  readonly files: readonly PlannedFile[];
  readonly commands: readonly (readonly string[])[];
}

/** A file of a plan. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** What a plan depends on. */
export interface ServiceHost {
  readonly os: string;
  /** Whether something is at a path. */
  readonly exists: (path: string) => boolean;
}

/** A plan, or why the host's service manager cannot run the tunnel. */
export type PlanResult = { readonly plan: ServicePlan } | { readonly why: string };

const DIRECTORY = "/etc/aggvpn/";
const UNIT = "aggvpn@.service";
const UNIT_DIRECTORIES: readonly string[] = [
  "/etc/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
];
const PROGRAMS: readonly string[] = ["/usr/local/bin/aggvpn", "/usr/bin/aggvpn"];
const RC_SCRIPT = "/etc/rc.d/aggvpn";

/** Says how the tunnel of `file` becomes a service; `nat`: it switches forwarding on. */
export function planService(
  file: string,
  nat: boolean,
  wish: ServiceWish,
  host: ServiceHost,
): PlanResult {
  const program = PROGRAMS.find(host.exists);
  if (program === undefined) {
    return { why: `there is no ${PROGRAMS[0]}: install -m 0755 build/aggvpn ${PROGRAMS[0]}` };
  }
  return host.os === "openbsd"
    ? { plan: rcPlan(file, program, wish, host) }
    : systemdPlan(file, nat, program, wish, host);
}

function systemdPlan(
  file: string,
  nat: boolean,
  program: string,
  { start, enable }: ServiceWish,
  { exists }: ServiceHost,
): PlanResult {
  // As sd_booted(3).
  if (!exists("/run/systemd/system")) return { why: "systemd does not run here" };
  const name = /^([A-Za-z0-9_-]+)\.toml$/.exec(file.slice(DIRECTORY.length))?.[1];
  if (!file.startsWith(DIRECTORY) || name === undefined) {
    return { why: `the service runs files of ${DIRECTORY} that end in .toml` };
  }
  const unit = `aggvpn@${name}`;
  const hasUnit = UNIT_DIRECTORIES.some((directory) => exists(`${directory}/${UNIT}`));
  const files: PlannedFile[] = [];
  if (!hasUnit) {
    const text = serviceFile("systemd/aggvpn@.service").replaceAll(PROGRAMS[0]!, program);
    files.push({ path: `${UNIT_DIRECTORIES[0]}/${UNIT}`, text, mode: 0o644 });
  }
  const forwarding = `${UNIT_DIRECTORIES[0]}/${unit}.service.d/forwarding.conf`;
  if (nat && !exists(forwarding)) files.push({ path: forwarding, text: FORWARDING, mode: 0o644 });
  const action = enable ? ["enable", ...start ? ["--now"] : []] : ["start"];
  return {
    plan: {
      files,
      commands: [
        ...files.length > 0 ? [["systemctl", "daemon-reload"]] : [],
        ["systemctl", ...action, unit],
      ],
    },
  };
}

/** The unit keeps the kernel's switches from what it runs. */
const FORWARDING = `# nat = true switches forwarding on while the tunnel runs.
[Service]
ProtectKernelTunables=no
`;

/** rcctl(8) keeps flags of enabled services only, so one that is started is also enabled. */
function rcPlan(
  file: string,
  program: string,
  { start }: ServiceWish,
  { exists }: ServiceHost,
): ServicePlan {
  const text = serviceFile("openbsd/rc.d/aggvpn").replaceAll(PROGRAMS[0]!, program);
  return {
    files: exists(RC_SCRIPT) ? [] : [{ path: RC_SCRIPT, text, mode: 0o555 }],
    commands: [
      ["rcctl", "enable", "aggvpn"],
      ["rcctl", "set", "aggvpn", "flags", "up", file],
      ...start ? [["rcctl", "start", "aggvpn"]] : [],
    ],
  };
}
