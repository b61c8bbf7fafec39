/**
 * An output that keeps what is written.
 *
 * @module
 */

import type { Output } from "../../src/cli/output.ts";
import { COLUMNS } from "../../src/cli/wrap.ts";

/** Output whose texts can be read afterwards. */
export interface CapturedOutput extends Output {
  readonly out: string;
  readonly err: string;
}

/** Returns an output that shows nothing and keeps everything. */
export function captureOutput(likesColor = false, columns = COLUMNS): CapturedOutput {
  const texts = { out: "", err: "" };
  return {
    likesColor,
    columns,
    stdout: (text) => void (texts.out += text),
    stderr: (text) => void (texts.err += text),
    get out() {
      return texts.out;
    },
    get err() {
      return texts.err;
    },
  };
}
