/**
 * What pledge(2) and unveil(2) require for each system call: the tables of sys/kern/kern_pledge.c
 * of 7.8, and what sys/kern/vfs_syscalls.c, kern_exec.c and uipc_usrreq.c ask of paths.
 *
 * @module
 */

const STDIO = ["stdio"];
const FATTR = ["fattr"];
const CPATH = ["cpath"];
const NETWORK = ["inet", "unix", "dns"];

/** `pledge_syscalls`: each of the promises allows a call. */
export const SYSCALLS = {
  accept4: ["inet", "unix"],
  access: STDIO,
  bind: NETWORK,
  chdir: ["rpath"],
  chmod: FATTR,
  close: STDIO,
  connect: NETWORK,
  dup2: STDIO,
  execve: ["exec"],
  fchmod: FATTR,
  fcntl: STDIO,
  flock: ["flock"],
  fork: ["proc"],
  fstat: STDIO,
  fsync: STDIO,
  ftruncate: STDIO,
  futimens: FATTR,
  getcwd: ["rpath", "wpath"],
  getdents: ["rpath"],
  geteuid: STDIO,
  getpeername: STDIO,
  getrtable: STDIO,
  getsockname: STDIO,
  ioctl: STDIO,
  kill: STDIO,
  listen: ["inet", "unix"],
  lstat: ["rpath", "wpath"],
  mkdir: CPATH,
  open: STDIO,
  pipe2: STDIO,
  ppoll: STDIO,
  read: STDIO,
  readlink: STDIO,
  recvmmsg: STDIO,
  recvmsg: STDIO,
  rename: ["rpath", "cpath"],
  rmdir: CPATH,
  sendmmsg: STDIO,
  sendmsg: STDIO,
  setsid: ["proc"],
  setsockopt: STDIO,
  shutdown: STDIO,
  sigaction: STDIO,
  socket: NETWORK,
  stat: STDIO,
  symlink: CPATH,
  sysctl: STDIO,
  umask: STDIO,
  unlink: CPATH,
  unveil: ["unveil"],
  utimensat: FATTR,
  wait4: STDIO,
  write: STDIO,
  writev: STDIO,
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Syscall = keyof typeof SYSCALLS;

/** What a path requires: every one of the promises, and permissions of unveil(2). */
export interface PathUse {
  readonly promises: readonly string[];
  readonly permissions: string;
}

const READ: PathUse = { promises: ["rpath"], permissions: "r" };
const CREATE: PathUse = { promises: ["cpath"], permissions: "c" };
const ATTRIBUTES: PathUse = { promises: ["fattr", "rpath"], permissions: "w" };

/** `ni_pledge` and `ni_unveil` of the calls that take one path. */
export const PATHS = {
  access: READ,
  bind: { promises: ["unix"], permissions: "c" },
  chdir: READ,
  chmod: ATTRIBUTES,
  connect: { promises: ["unix"], permissions: "w" },
  execve: { promises: ["exec"], permissions: "x" },
  lstat: READ,
  mkdir: CREATE,
  readlink: READ,
  rmdir: CREATE,
  stat: READ,
  symlink: CREATE,
  unlink: CREATE,
  utimensat: ATTRIBUTES,
} as const satisfies Readonly<Partial<Record<Syscall, PathUse>>>;

/** rename(2) of sys/kern/vfs_syscalls.c: the old path and the new one. */
export const RENAME: readonly [from: PathUse, to: PathUse] = [
  { promises: ["rpath", "cpath"], permissions: "rc" },
  CREATE,
];

/** How open(2) opens. */
export interface OpenFlags {
  readonly read?: boolean | undefined;
  readonly write?: boolean | undefined;
  readonly create?: boolean | undefined;
}

/** doopenat() of sys/kern/vfs_syscalls.c. */
export function openUse({ read, write, create }: OpenFlags): PathUse {
  const uses = [[read, "rpath", "r"], [write, "wpath", "w"], [create, "cpath", "c"]] as const;
  const wanted = uses.filter(([is]) => is === true);
  return {
    promises: wanted.map(([, promise]) => promise),
    permissions: wanted.map(([, , permission]) => permission).join(""),
  };
}

/** pledge_namei() lets everybody read these, whatever is unveiled. */
export function isPublic(call: Syscall, path: string, { permissions }: PathUse): boolean {
  if (path === "/dev/null") return call === "open" && /^[rw]+$/.test(permissions);
  const isZone = path === "/etc/localtime" || path.startsWith("/usr/share/zoneinfo/");
  return isZone && call === "open" && permissions === "r";
}

/** pledge_sockopt(): each of the promises allows an option; others are refused. */
export const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  SO_RCVBUF: STDIO,
  SO_SNDBUF: ["inet", "unix"],
  SO_REUSEADDR: ["inet", "unix"],
  SO_RTABLE: ["wroute"],
  IP_RECVDSTADDR: ["inet"],
  IPV6_V6ONLY: ["inet"],
  IPV6_RECVPKTINFO: ["inet", "dns"],
  IPV6_DONTFRAG: ["inet"],
};

/** pledge_socket(): nothing allows AF_ROUTE. */
export const FAMILIES = { inet: ["inet"], inet6: ["inet"], unix: ["unix"], route: [] } as const;
