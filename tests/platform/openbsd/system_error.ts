/**
 * The error of a failed system call of the fake.
 *
 * @module
 */

/** An error the kernel reports, such as `EBUSY`. */
export class SystemError extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}
