/**
 * The errors this program tells apart, by their OpenBSD numbers: <sys/errno.h>,
 * errno(2).
 *
 * @module
 */

/** Error numbers, the same on amd64 and arm64. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EMFILE: 24,
  EAGAIN: 35,
  ENOTSOCK: 38,
  EMSGSIZE: 40,
  EAFNOSUPPORT: 47,
  EADDRINUSE: 48,
  EADDRNOTAVAIL: 49,
  ENETDOWN: 50,
  ENETUNREACH: 51,
  ENOBUFS: 55,
  ECONNREFUSED: 61,
  EHOSTDOWN: 64,
  EHOSTUNREACH: 65,
  /** Also for what pledge(2) refuses, with the promise `error`. */
  ENOSYS: 78,
} as const;
