/**
 * The C library as the lab uses it: a small table of blocking calls, errno and a clock that all
 * processes of a run share. Linux only, like network namespaces.
 *
 * The lab's tools are single-purpose processes, so they may block in a call;
 * nothing here is used by the product.
 *
 * @module
 */

const SYMBOLS = {
  // int open(const char *path, int flags);
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // int ioctl(int fd, unsigned long request, void *arg);
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  // ssize_t read(int fd, void *buf, size_t count);
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // ssize_t write(int fd, const void *buf, size_t count);
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // int close(int fd);
  close: { parameters: ["i32"], result: "i32" },
  // int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask);
  ppoll: { parameters: ["buffer", "u64", "buffer", "pointer"], result: "i32" },
  // int clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *rest);
  clock_nanosleep: { parameters: ["i32", "i32", "buffer", "pointer"], result: "i32" },
  // int clock_gettime(clockid_t clock, struct timespec *t);
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  // int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  // int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param);
  sched_setscheduler: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  // int setns(int fd, int type);
  setns: { parameters: ["i32", "i32"], result: "i32" },
  // int socket(int domain, int type, int protocol);
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int bind(int fd, const struct sockaddr *address, socklen_t length);
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int connect(int fd, const struct sockaddr *address, socklen_t length);
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int listen(int fd, int backlog);
  listen: { parameters: ["i32", "i32"], result: "i32" },
  // int accept(int fd, struct sockaddr *address, socklen_t *length);
  accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
  // int setsockopt(int fd, int level, int option, const void *value, socklen_t length);
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  // int getsockopt(int fd, int level, int option, void *value, socklen_t *length);
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  // ssize_t recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *length);
  recvfrom: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "buffer"], result: "i32" },
  // ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t length);
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "i32" },
  // int sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags);
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  // int *__errno_location(void);
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** The calls of {@linkcode openLibc}, bound. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Numbers of errno that the lab tells apart (Linux, all architectures). */
export const ERRNO = {
  EINTR: 4,
  EIO: 5,
  EAGAIN: 11,
  EINVAL: 22,
  EMSGSIZE: 90,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
} as const;

let bound: { libc: Libc; errno: Int32Array } | undefined;

/** Binds the C library; the same object every time. */
export function openLibc(): Libc {
  return bind().libc;
}

/** The errno of the last failed call; valid only until the next operation of Deno. */
export function errno(): number {
  return bind().errno[0] ?? 0;
}

function bind(): { libc: Libc; errno: Int32Array } {
  if (bound === undefined) {
    const libc = Deno.dlopen("libc.so.6", SYMBOLS).symbols;
    const location = libc.__errno_location();
    if (location === null) throw new Error("No address for errno");
    bound = {
      libc,
      errno: new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4)),
    };
  }
  return bound;
}

/** Throws an error that names the call and its errno unless `result` is 0 or more; returns it. */
export function must(call: string, result: number): number {
  if (result < 0) throw new Error(`${call}: errno ${errno()}`);
  return result;
}

const CLOCK_MONOTONIC = 1;
const PR_SET_TIMERSLACK = 29;
const SCHED_FIFO = 1;

/**
 * The monotonic clock, which is the same in every process and namespace of a
 * host, and precise sleep on it. Microseconds, as numbers.
 */
export class HostClock {
  readonly #libc: Libc = openLibc();
  readonly #spec = new Uint32Array(4);
  readonly #sleep = new Uint32Array(4);

  /** Asks the kernel to wake this thread on time rather than up to 50 us late. */
  sharpen(): void {
    this.#libc.prctl(PR_SET_TIMERSLACK, 1n, 0n, 0n, 0n);
  }

  /** Lets this thread run before all ordinary ones, as separate hardware would; root only. */
  goFirst(): void {
    this.#libc.sched_setscheduler(0, SCHED_FIFO, new Int32Array([1]));
  }

  /** Microseconds since the host started. */
  now(): number {
    this.#libc.clock_gettime(CLOCK_MONOTONIC, this.#spec);
    return (this.#spec[0] ?? 0) * 1e6 + (this.#spec[2] ?? 0) / 1000;
  }

  /** Blocks for `us` microseconds. */
  sleep(us: number): void {
    if (us <= 0) return;
    writeTimespec(this.#sleep, us);
    this.#libc.clock_nanosleep(CLOCK_MONOTONIC, 0, this.#sleep, null);
  }
}

/** Writes `us` as a `struct timespec` (two 64-bit halves) into four words. */
export function writeTimespec(out: Uint32Array, us: number): void {
  const seconds = Math.floor(us / 1e6);
  out[0] = seconds;
  out[1] = 0;
  out[2] = Math.floor((us - seconds * 1e6) * 1000);
  out[3] = 0;
}

/** A C string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** Lengths as the bigints that `size_t` parameters need, made once. */
export const SIZES: readonly bigint[] = Array.from({ length: 4096 }, (_, i) => BigInt(i));
