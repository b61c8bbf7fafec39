/**
 * Tests of links of a running endpoint, for whoever waits for the result.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import { systemClock } from "../io/clock.ts";
import type { Driver } from "../io/driver.ts";
import type { Endpoint } from "../tunnel/endpoint.ts";
import type { LineTestResult, TestWay } from "../tunnel/line_tests.ts";

/** What may be asked of a running tunnel: silence would take the link away from its packets. */
export const TEST_WAYS: readonly TestWay[] = ["idle", "up", "down"];
/** Longest test in milliseconds: whoever asks by the control socket is hung up on after 10 s. */
export const MOST_TEST_MS = 6_000;
/** How often to look whether a test is over, in milliseconds. */
const LOOK_MS = 50;

/** A test that somebody asks for. */
export interface LineTestRequest {
  readonly link: string;
  readonly way: TestWay;
  readonly milliseconds: number;
}

/** Starts tests, and waits for their end. */
export class LineTester {
  readonly #endpoint: Endpoint;
  readonly #driver: Driver;
  /** The link that is full or silent now. */
  #taken: string | undefined;

  constructor(endpoint: Endpoint, driver: Driver) {
    this.#endpoint = endpoint;
    this.#driver = driver;
  }

  /** Tests a link to the end. Throws AggvpnError when that is not possible now. */
  async test({ link: name, way, milliseconds }: LineTestRequest): Promise<LineTestResult> {
    const link = this.#idOf(name);
    if (way === "up" || way === "down") {
      if (this.#taken !== undefined) {
        throw new AggvpnError(`Link "${this.#taken}" is being measured`, {
          hint: "Try again when that is over",
        });
      }
      this.#taken = name;
    }
    try {
      return await this.#run(link, name, way, milliseconds);
    } finally {
      if (this.#taken === name) this.#taken = undefined;
    }
  }

  async #run(
    link: number,
    name: string,
    way: TestWay,
    durationMs: number,
  ): Promise<LineTestResult> {
    if (!this.#endpoint.startLineTest(systemClock(), link, way, durationMs * 1000)) {
      throw new AggvpnError(`Link "${name}" has no session to be measured in`);
    }
    this.#driver.wake();
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const result = this.#endpoint.lineTest(systemClock(), link);
      if (!result) throw new AggvpnError(`The session ended while "${name}" was measured`);
      if (result.done) return result;
    }
  }

  #idOf(name: string): number {
    const links = this.#endpoint.status(systemClock()).peers[0]?.links ?? [];
    const link = links.find((link) => link.name === name);
    if (link) return link.id;
    const known = links.map((link) => link.name).join(", ");
    throw new AggvpnError(`There is no link "${name}"`, { hint: `Name one of ${known}` });
  }
}
