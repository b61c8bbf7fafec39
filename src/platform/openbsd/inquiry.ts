/**
 * Sockets of inquiries on OpenBSD: connect(2), udp(4), tcp(4).
 *
 * @module
 */

import type { Remote } from "../../remote.ts";
import { type Inquiry, type InquiryKind, openInquiry as open } from "../inquiry.ts";
import type { SocketOptions } from "../platform.ts";
import {
  AF_INET,
  AF_INET6,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";
import { writeSockaddr } from "./sockaddr.ts";
import { bindSocket } from "./socket_setup.ts";

/** Opens an inquiry at `remote` that leaves by the way of a link with `options`. */
export function openInquiry(
  libc: Libc,
  options: SocketOptions,
  remote: Remote,
  kind: InquiryKind,
): Inquiry {
  return open(libc, {
    errno: ERRNO,
    sockaddr: writeSockaddr(remote),
    open: () => openBound(libc, options, kind),
  });
}

function openBound(libc: Libc, options: SocketOptions, kind: InquiryKind): number {
  const domain = options.family === 4 ? AF_INET : AF_INET6;
  const type = kind === "udp" ? SOCK_DGRAM : SOCK_STREAM;
  const fd = libc.symbols.socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    throw systemError(libc, `Cannot open an IPv${options.family} socket`, libc.errno("socket"));
  }
  try {
    bindSocket(libc, fd, options);
    return fd;
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
}
