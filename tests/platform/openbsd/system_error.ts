/**
 * What a system call of the fake fails with.
 *
 * @module
 */

/** An error the kernel reports, such as `EBUSY`. */
export class SystemError extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}
