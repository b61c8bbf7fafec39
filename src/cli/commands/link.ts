/** `aggvpn link`: changes the links of a running client. */

import { DURATION_UNITS } from "../../config/units.ts";
import type { Parameters } from "../../control/protocol.ts";
import { UsageError } from "../../errors.ts";
import { change, LASTS, quantityOf, TUNNEL_FLAG } from "../change.ts";
import type { Command } from "../command.ts";

const STATES: readonly string[] = ["off", "on", "primary", "overflow", "backup"];
const HINT = "Run `aggvpn help link`";

/** Switches, adds or removes a link. */
export const link: Command = {
  name: "link",
  operands: "LINK STATE [MORE...]",
  completes: { STATE: [...STATES, "add", "remove"], MORE: ["for"] },
  summary: "Switch a link of a running tunnel, add or remove one",
  description: `Changes a link of the running client:

aggvpn link LINK off|primary|overflow|backup [for TIME]

aggvpn link LINK on

aggvpn link LINK add KEY=VALUE...

aggvpn link LINK remove

A link that is off carries nothing, in neither direction, and \`status\` says why; what was under way
on it is sent again by others. A link that was found by itself (links = "auto") can be off too. "on" makes it what its file says. With a TIME, such as 2h or 30min,
the change ends by itself. The KEYs of a link that is added are those of a table [link.NAME]; run
\`aggvpn help config\`.

${LASTS}`,
  flags: TUNNEL_FLAG,

  run(shell, args): Promise<number> {
    const [name, state, ...more] = args.operands as [string, string, ...string[]];
    const [request, parameters] = requestOf(state, more);
    return change(shell, args, request, { name, ...parameters });
  },
};

function requestOf(
  state: string,
  more: readonly string[],
): readonly [request: string, parameters: Parameters] {
  if (state === "add") return ["link_add", { toml: more.map(tomlOf).join("\n") }];
  if (state === "remove") {
    refuse(more[0]);
    return ["link_remove", {}];
  }
  if (!STATES.includes(state)) {
    const hint = `Write one of ${[...STATES, "add", "remove"].join(", ")}`;
    throw new UsageError(`A link cannot be "${state}"`, { hint });
  }
  if (more.length === 0) return ["link", { state }];
  const [word, time, extra] = more;
  if (word !== "for") refuse(word);
  if (state === "on") throw new UsageError('A link is "on" for good', { hint: HINT });
  if (time === undefined) throw new UsageError("Missing TIME after for", { hint: HINT });
  refuse(extra);
  return ["link", { state, forUs: quantityOf(time, DURATION_UNITS, "2h or 30min") }];
}

function refuse(operand: string | undefined): void {
  if (operand === undefined) return;
  throw new UsageError(`Unexpected operand "${operand}"`, { hint: HINT });
}

/** Writes `interface=wwan0` as TOML; what is no number, truth value, list or quoted is a text. */
function tomlOf(operand: string): string {
  const [, key, value] = /^([a-z_0-9]+)=(.*)$/s.exec(operand) ?? [];
  if (key === undefined || value === undefined) {
    throw new UsageError(`Expected KEY=VALUE, found "${operand}"`, {
      hint: `Write it as in \`aggvpn link wwan add interface=wwan0 tier=backup\``,
    });
  }
  const isToml = /^(true|false|\d+(\.\d+)?|".*"|'.*'|\[.*\])$/s.test(value);
  return `${key} = ${isToml ? value : JSON.stringify(value)}`;
}
