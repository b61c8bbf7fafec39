/**
 * pledge(2) and unveil(2) of the fake: the rules of sys/kern/kern_pledge.c that matter to
 * the calls this program makes.
 *
 * @module
 */

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
  #locked = false;

  pledge(text: string): number {
    const promises = text.split(" ");
    if (promises.some((promise) => !PROMISES.includes(promise))) throw new SystemError("EINVAL");
    const before = this.promises;
    if (before && promises.some((promise) => !before.has(promise))) throw new SystemError("EPERM");
    this.promises = new Set(promises);
    return 0;
  }

  unveil(path: string | null, permissions: string | null): number {
    this.require("unveil(2)", ["unveil"]);
    if (this.#locked) throw new SystemError("EPERM");
    if (path === null && permissions === null) {
      this.#locked = true;
      return 0;
    }
    if (!/^[rwxc]+$/.test(permissions!)) throw new SystemError("EINVAL");
    this.unveiled.set(path!, permissions!);
    return 0;
  }

  /** Throws when none of `promises` was made: with "error" a failing call, else the end. */
  require(what: string, promises: readonly string[]): void {
    if (!this.promises || promises.some((promise) => this.promises!.has(promise))) return;
    if (!this.promises.has("error")) throw new Error(`SIGABRT: pledge(2) forbids ${what}`);
    throw new SystemError("ENOSYS");
  }

  /** pledge_sockopt(). */
  requireOption(name: string): void {
    if (name === "SO_RCVBUF") return;
    this.require(name, name === "SO_RTABLE" ? ["wroute"] : ["inet"]);
  }
}
