/**
 * Functions of OpenBSD's libc as its headers declare them, with `file:line` of the sources of 7.8:
 * the result, then the parameters, each `i` or `u` with its bytes, or `p` for a pointer. A compiler
 * accepted these types as those of the headers on amd64 and arm64.
 *
 * @module
 */

/** Types and place by name. `...` is left out. */
export const FUNCTIONS: Readonly<Record<string, readonly [types: string, place: string]>> = {
  open: ["i4(p i4)", "sys/sys/fcntl.h:219"],
  close: ["i4(i4)", "include/unistd.h:329"],
  ioctl: ["i4(i4 u8)", "sys/sys/ioctl.h:52"],
  read: ["i8(i4 p u8)", "include/unistd.h:365"],
  write: ["i8(i4 p u8)", "include/unistd.h:376"],
  writev: ["i8(i4 p i4)", "sys/sys/uio.h:94"],
  pipe2: ["i4(p i4)", "include/unistd.h:486"],
  socket: ["i4(i4 i4 i4)", "sys/sys/socket.h:592"],
  setsockopt: ["i4(i4 i4 i4 p u4)", "sys/sys/socket.h:589"],
  bind: ["i4(i4 p u4)", "sys/sys/socket.h:574"],
  connect: ["i4(i4 p u4)", "sys/sys/socket.h:575"],
  getsockname: ["i4(i4 p p)", "sys/sys/socket.h:577"],
  recvmmsg: ["i4(i4 p u4 i4 p)", "sys/sys/socket.h:583"],
  sendmmsg: ["i4(i4 p u4 i4)", "sys/sys/socket.h:588"],
  recvmsg: ["i8(i4 p i4)", "sys/sys/socket.h:582"],
  sendmsg: ["i8(i4 p i4)", "sys/sys/socket.h:587"],
  if_nametoindex: ["u4(p)", "sys/net/if.h:53"],
  getrtable: ["i4()", "sys/sys/socket.h:601"],
  getpid: ["i4()", "include/unistd.h:353"],
  geteuid: ["u4()", "include/unistd.h:348"],
  kill: ["i4(i4 i4)", "include/signal.h:55"],
  ppoll: ["i4(p u4 p p)", "sys/sys/poll.h:84"],
  signal: ["p(i4 p)", "sys/sys/signal.h:199"],
  sendsyslog: ["i4(p u8 i4)", "sys/sys/syslog.h:207"],
  unveil: ["i4(p p)", "include/unistd.h:535"],
  pledge: ["i4(p p)", "include/unistd.h:534"],
  strerror: ["p(i4)", "include/string.h:79"],
  __errno: ["p()", "include/errno.h:54"],
};
