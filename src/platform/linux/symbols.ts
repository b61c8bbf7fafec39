/**
 * The libc functions this program calls on Linux: all of them, and no others.
 *
 * Prototypes are from the man pages named beside them. `open` and `ioctl` are
 * variadic in C; a fixed binding is sound on x86-64 and arm64 Linux, where
 * integer varargs travel in the registers of named arguments. Functions on the
 * packet path take addresses as `usize` and return `i32`, which Deno calls
 * without allocating; none of them can return more than 2 GiB.
 *
 * @module
 */

/** Symbol table for `Deno.dlopen("libc.so.6", ...)`; musl answers to that name too. */
export const LIBC = {
  // int open(const char *pathname, int flags);                                   open(2)
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // int close(int fd);                                                           close(2)
  close: { parameters: ["i32"], result: "i32" },
  // int ioctl(int fd, unsigned long op, void *argp);                             ioctl(2)
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  // The same, for operations that take a number in place of an address.
  ioctlValue: { name: "ioctl", parameters: ["i32", "u64", "usize"], result: "i32" },
  // ssize_t read(int fd, void *buf, size_t count);                               read(2)
  read: { parameters: ["i32", "usize", "usize"], result: "i32" },
  // ssize_t write(int fd, const void *buf, size_t count);                        write(2)
  write: { parameters: ["i32", "usize", "usize"], result: "i32" },
  // ssize_t writev(int fd, const struct iovec *iov, int iovcnt);                 writev(2)
  writev: { parameters: ["i32", "usize", "i32"], result: "i32" },
  // int socket(int domain, int type, int protocol);                              socket(2)
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int setsockopt(int fd, int level, int name, const void *value, socklen_t n); setsockopt(2)
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  // int getsockopt(int fd, int level, int name, void *value, socklen_t *n);      getsockopt(2)
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  // int bind(int fd, const struct sockaddr *addr, socklen_t n);                  bind(2)
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int connect(int fd, const struct sockaddr *addr, socklen_t n);               connect(2)
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int getsockname(int fd, struct sockaddr *addr, socklen_t *n);                getsockname(2)
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int recvmmsg(int fd, struct mmsghdr *vec, unsigned n, int flags,
  //              struct timespec *timeout);                                      recvmmsg(2)
  recvmmsg: { parameters: ["i32", "usize", "u32", "i32", "usize"], result: "i32" },
  // int sendmmsg(int fd, struct mmsghdr *vec, unsigned n, int flags);            sendmmsg(2)
  sendmmsg: { parameters: ["i32", "usize", "u32", "i32"], result: "i32" },
  // ssize_t sendto(int fd, const void *buf, size_t count, int flags,
  //                const struct sockaddr *to, socklen_t n);                      sendto(2)
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "i32" },
  // unsigned if_nametoindex(const char *ifname);                                 if_nametoindex(3)
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  // int eventfd(unsigned initval, int flags);                                    eventfd(2)
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  // int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
  //           const sigset_t *sigmask);                                          ppoll(2)
  ppoll: { parameters: ["buffer", "u64", "buffer", "buffer"], result: "i32" },
  // The same, on a thread of Deno's pool.
  ppollAsync: {
    name: "ppoll",
    parameters: ["buffer", "u64", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  // int clock_gettime(clockid_t clock, struct timespec *now);                    clock_gettime(2)
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  // int adjtimex(struct timex *buf);                                             adjtimex(2)
  adjtimex: { parameters: ["buffer"], result: "i32" },
  // pid_t getpid(void);                                                          getpid(2)
  getpid: { parameters: [], result: "i32" },
  // int kill(pid_t pid, int sig);                                                kill(2)
  kill: { parameters: ["i32", "i32"], result: "i32" },
  // int getpriority(int which, id_t who);                                        getpriority(2)
  getpriority: { parameters: ["i32", "u32"], result: "i32" },
  // int setpriority(int which, id_t who, int prio);                              getpriority(2)
  setpriority: { parameters: ["i32", "u32", "i32"], result: "i32" },
  // sighandler_t signal(int signum, sighandler_t handler);                       signal(2)
  signal: { parameters: ["i32", "usize"], result: "usize" },
  // char *strerror(int errnum);                                                  strerror(3)
  strerror: { parameters: ["i32"], result: "pointer" },
  // int *__errno_location(void);                                                 errno(3)
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;
