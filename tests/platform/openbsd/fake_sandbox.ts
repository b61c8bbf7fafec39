/**
 * pledge(2) and unveil(2) of the fake, call by call (fake_pledge.ts).
 *
 * What pledge refuses fails with ENOSYS, since the program promises "error": where an error is
 * ignored nothing would show it. So every refusal is kept.
 *
 * @module
 */

import {
  FAMILIES,
  isPublic,
  type OpenFlags,
  openUse,
  OPTIONS,
  PATHS,
  type PathUse,
  RENAME,
  type Syscall,
  SYSCALLS,
} from "./fake_pledge.ts";
import { SystemError } from "./system_error.ts";

/** Every promise of OpenBSD 7.8 that later releases have too. */
const PROMISES: readonly string[] =
  ("audio bpf chown cpath disklabel dns dpath drm error exec fattr flock getpw id inet mcast pf " +
    "proc prot_exec ps recvfd route rpath sendfd settime stdio tape tty unix unveil video vminfo " +
    "vmm wpath wroute").split(" ");

/** What a process may still do. */
export class FakeSandbox {
  /** Undefined until pledge(2) was called. */
  promises: ReadonlySet<string> | undefined;
  readonly unveiled: Map<string, string> = new Map();
  /** What was refused, with the error: `chmod(2): ENOSYS`. */
  readonly refusals: string[] = [];
  /** Promises without which something would have been refused. */
  readonly needed: Set<string> = new Set();
  #locked = false;

  pledge(text: string): number {
    const promises = text.split(" ");
    if (promises.some((promise) => !PROMISES.includes(promise))) throw new SystemError("EINVAL");
    const before = this.promises;
    const kept = promises.filter((promise) => before?.has(promise) ?? true);
    // With "error", a request for more is ignored.
    if (kept.length < promises.length && !before!.has("error")) throw new SystemError("EPERM");
    this.promises = new Set(kept);
    return 0;
  }

  unveil(path: string | null, permissions: string | null): number {
    this.call("unveil");
    if (this.#locked) throw new SystemError("EPERM");
    if (path === null && permissions === null) {
      this.#locked = true;
      return 0;
    }
    if (!/^[rwxc]+$/.test(permissions!)) throw new SystemError("EINVAL");
    this.unveiled.set(path!, permissions!);
    return 0;
  }

  /** Throws when none of `promises` was made: a failed call with "error", else the end. */
  require(what: string, promises: readonly string[]): void {
    if (!this.promises) return;
    const made = promises.filter((promise) => this.promises!.has(promise));
    if (made.length === 1) this.needed.add(made[0]!);
    if (made.length > 0) return;
    if (!this.promises.has("error")) throw new Error(`SIGABRT: pledge(2) forbids ${what}`);
    this.#refuse(what, "ENOSYS");
  }

  /** A call that takes no path. */
  call(name: Syscall): void {
    this.require(`${name}(2)`, SYSCALLS[name]);
  }

  /** A call with a path. */
  path(name: keyof typeof PATHS, path: string): void {
    this.#look(name, path, PATHS[name]);
  }

  open(path: string, flags: OpenFlags): void {
    this.#look("open", path, openUse(flags));
  }

  rename(from: string, to: string): void {
    this.#look("rename", from, RENAME[0]);
    this.#look("rename", to, RENAME[1]);
  }

  socket(family: keyof typeof FAMILIES): void {
    this.call("socket");
    this.require(`socket(2) of ${family}`, FAMILIES[family]);
  }

  /** sendmsg(2) and sendmmsg(2) with an address: pledge_sendit(). */
  send(name: "sendmsg" | "sendmmsg"): void {
    this.call(name);
    this.require(`${name}(2) to an address`, ["inet", "unix", "dns"]);
  }

  setsockopt(option: string): void {
    this.call("setsockopt");
    this.require(option, OPTIONS[option] ?? []);
  }

  /** No promise allows an ioctl(2) of tun(4). */
  ioctlTun(request: string): void {
    this.call("ioctl");
    this.require(request, []);
  }

  /** kill(2) of another process: pledge_kill(). */
  kill(): void {
    this.call("kill");
    this.require("kill(2) of another process", ["proc"]);
  }

  /** fcntl(2) with F_SETLK, and flock(2): pledge_flock(). */
  lock(): void {
    this.call("fcntl");
    this.require("fcntl(2) with F_SETLK", ["flock"]);
  }

  /** sysctl(2) of kern.proc. */
  process(): void {
    this.call("sysctl");
    this.require("sysctl(2) of kern.proc", ["ps"]);
  }

  /** pledge_namei(), then what is unveiled. */
  #look(name: Syscall, path: string, use: PathUse): void {
    this.call(name);
    if (!this.promises || isPublic(name, path, use)) return;
    for (const promise of use.promises) this.require(`${name}(2) of ${path}`, [promise]);
    if (this.unveiled.size === 0) return;
    const permissions = this.#permissionsOf(path);
    if (permissions === undefined) this.#refuse(`${name}(2) of ${path}`, "ENOENT");
    if ([...use.permissions].some((permission) => !permissions.includes(permission))) {
      this.#refuse(`${name}(2) of ${path}`, "EACCES");
    }
  }

  /** Those of the longest path that is unveiled and covers `path`. */
  #permissionsOf(path: string): string | undefined {
    if (!path.startsWith("/")) throw new Error(`"${path}" depends on where the program is`);
    for (let at = path;; at = at.slice(0, Math.max(1, at.lastIndexOf("/")))) {
      const permissions = this.unveiled.get(at);
      if (permissions !== undefined || at === "/") return permissions;
    }
  }

  #refuse(what: string, code: string): never {
    this.refusals.push(`${what}: ${code}`);
    throw new SystemError(code);
  }
}
