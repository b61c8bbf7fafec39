/**
 * The libc functions this program calls on OpenBSD: all of them, and no others.
 *
 * Prototypes are from the man pages named beside them. `open` and `ioctl` are
 * variadic in C; a fixed binding is sound under the calling conventions of amd64
 * and arm64, where integer varargs travel in the registers of named arguments. Every call goes
 * through libc, since the kernel kills a process that makes a system call from anywhere else:
 * pinsyscalls(2).
 *
 * On CPUs with IBT or BTI the kernel ends a program that jumps to anything but a landing
 * instruction, and the stubs of Deno's FFI have none: see `call_way.ts`.
 *
 * @module
 */

/** Symbol table for `Deno.dlopen("libc.so", ...)`. */
export const LIBC = {
  // int open(const char *path, int flags, ...);                                  open(2)
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // int close(int d);                                                            close(2)
  close: { parameters: ["i32"], result: "i32" },
  // int ioctl(int d, unsigned long request, ...);                                ioctl(2)
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  // ssize_t read(int d, void *buf, size_t nbytes);                               read(2)
  read: { parameters: ["i32", "usize", "usize"], result: "i32" },
  // ssize_t write(int d, const void *buf, size_t nbytes);                        write(2)
  write: { parameters: ["i32", "usize", "usize"], result: "i32" },
  // ssize_t writev(int d, const struct iovec *iov, int iovcnt);                  writev(2)
  writev: { parameters: ["i32", "usize", "i32"], result: "i32" },
  // int pipe2(int fildes[2], int flags);                                         pipe(2)
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  // int socket(int domain, int type, int protocol);                              socket(2)
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int setsockopt(int s, int level, int name, const void *val, socklen_t n);    setsockopt(2)
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  // int bind(int s, const struct sockaddr *name, socklen_t namelen);             bind(2)
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int connect(int s, const struct sockaddr *name, socklen_t namelen);          connect(2)
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int getsockname(int s, struct sockaddr *name, socklen_t *namelen);           getsockname(2)
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int recvmmsg(int s, struct mmsghdr *mmsg, unsigned int vlen, int flags,
  //              struct timespec *timeout);                                      recvmmsg(2), 7.2
  recvmmsg: {
    parameters: ["i32", "usize", "u32", "i32", "usize"],
    result: "i32",
    optional: true,
  },
  // int sendmmsg(int s, struct mmsghdr *mmsg, unsigned int vlen, int flags);     sendmmsg(2), 7.2
  sendmmsg: { parameters: ["i32", "usize", "u32", "i32"], result: "i32", optional: true },
  // ssize_t recvmsg(int s, struct msghdr *msg, int flags);                       recvmsg(2)
  recvmsg: { parameters: ["i32", "usize", "i32"], result: "i32" },
  // ssize_t sendmsg(int s, const struct msghdr *msg, int flags);                 sendmsg(2)
  sendmsg: { parameters: ["i32", "usize", "i32"], result: "i32" },
  // unsigned int if_nametoindex(const char *ifname);                             if_nametoindex(3)
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  // int getrtable(void);                                                         getrtable(2)
  getrtable: { parameters: [], result: "i32" },
  // pid_t getpid(void);                                                          getpid(2)
  getpid: { parameters: [], result: "i32" },
  // uid_t geteuid(void);                                                         geteuid(2)
  geteuid: { parameters: [], result: "u32" },
  // int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout,
  //           const sigset_t *mask);   nfds_t is an unsigned int here            ppoll(2)
  ppoll: { parameters: ["buffer", "u32", "buffer", "buffer"], result: "i32" },
  // The same, on a thread of Deno's pool.
  ppollAsync: {
    name: "ppoll",
    parameters: ["buffer", "u32", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  // int kill(pid_t pid, int sig);                                                kill(2)
  kill: { parameters: ["i32", "i32"], result: "i32" },
  // void (*signal(int sigcatch, void (*func)(int)))(int);                        signal(3)
  signal: { parameters: ["i32", "usize"], result: "usize" },
  // int sendsyslog(const char *msg, size_t len, int flags);                      sendsyslog(2)
  sendsyslog: { parameters: ["buffer", "usize", "i32"], result: "i32" },
  // int unveil(const char *path, const char *permissions);                       unveil(2)
  unveil: { parameters: ["buffer", "buffer"], result: "i32" },
  // int pledge(const char *promises, const char *execpromises);                  pledge(2)
  pledge: { parameters: ["buffer", "buffer"], result: "i32" },
  // char *strerror(int errnum);                                                  strerror(3)
  strerror: { parameters: ["i32"], result: "pointer" },
  // int *__errno(void);                                                          errno(2)
  __errno: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;
