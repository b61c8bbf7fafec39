/**
 * The table of links.
 *
 * @module
 */

import type { LinkStatus } from "../src/tunnel/options.ts";
import { colorOf } from "./colors.ts";
import { byId, element, setText } from "./dom.ts";
import { milliseconds, percent, rate, size } from "./format.ts";

/** Asks the tunnel to switch a link. */
export type Switch = (link: string, to: "on" | "off") => void;

interface Row {
  readonly row: HTMLTableRowElement;
  readonly update: (link: LinkStatus) => void;
}

/** Keeps the rows, so that what has the focus keeps it. */
export class LinksTable {
  readonly #rows: Map<string, Row> = new Map();
  readonly #body = byId("rows");
  readonly #onSwitch: Switch;

  constructor(onSwitch: Switch) {
    this.#onSwitch = onSwitch;
  }

  /** Shows the links of `peer`. */
  show(peer: string, links: readonly LinkStatus[], mayControl: boolean): void {
    byId("switches").hidden = !mayControl;
    byId("none").hidden = links.length > 0;
    const keys = links.map(({ id, name }) => JSON.stringify([peer, id, name, mayControl]));
    for (const [key, { row }] of this.#rows) {
      if (keys.includes(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    links.forEach((link, i) => {
      let row = this.#rows.get(keys[i]!);
      if (!row) {
        row = makeRow(link, mayControl ? this.#onSwitch : undefined);
        this.#rows.set(keys[i]!, row);
        this.#body.insertBefore(row.row, this.#body.children[i] ?? null);
      }
      row.update(link);
    });
  }
}

function makeRow({ id, name }: LinkStatus, onSwitch: Switch | undefined): Row {
  const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
  const cell = (label: string, kind = "number"): HTMLTableCellElement =>
    element("td", { role: "cell", "data-label": label, class: kind });
  const [state, reason] = [element("span", {}), element("span", { class: "reason" })];
  const stateCell = cell("State", "");
  stateCell.append(state, reason);
  const [receiving, sending] = [cell("Receiving"), cell("Sending")];
  const [rtt, loss] = [cell("Round trip"), cell("Loss out, in")];
  const quota = quotaCell(name, cell("Quota"));
  const toggle = onSwitch && switchCell(name, cell("Switch", ""), onSwitch);
  const row = element(
    "tr",
    { role: "row" },
    element("th", { role: "rowheader", scope: "row" }, swatch, name),
    stateCell,
    receiving,
    sending,
    rtt,
    loss,
    quota.cell,
    ...toggle ? [toggle.cell] : [],
  );
  return {
    row,
    update: (link) => {
      swatch.style.background = colorOf(id);
      state.className = { up: "good", suspect: "warn", connecting: "warn" }[link.state as string] ??
        "bad";
      setText(state, link.off ? "off" : link.state);
      setText(reason, [tierOf(link), link.reason].filter((text) => text !== "").join("; "));
      setText(receiving, rate(link.receiveBps));
      setText(sending, rate(link.sendBps));
      setText(rtt, milliseconds(link.srttUs > 0 ? link.srttUs : null));
      setText(loss, `${percent(link.sendLoss)}, ${percent(link.receiveLoss)}`);
      quota.update(link);
      toggle?.update(link);
    },
  };
}

/** Only what is not usual. */
function tierOf({ tier, metered }: LinkStatus): string {
  return [...tier === "primary" ? [] : [tier], ...metered ? ["metered"] : []].join(", ");
}

interface Part {
  readonly cell: HTMLTableCellElement;
  readonly update: (link: LinkStatus) => void;
}

function quotaCell(name: string, cell: HTMLTableCellElement): Part {
  const text = element("span", {});
  const meter = element("meter", { min: "0", max: "1", "aria-label": `Quota used of ${name}` });
  return {
    cell,
    update: ({ quotaBytes, quotaUsedBytes = 0 }) => {
      if (quotaBytes === undefined) return cell.replaceChildren();
      if (cell.firstChild === null) cell.append(text, meter);
      setText(text, `${size(quotaUsedBytes)} of ${size(quotaBytes)}`);
      [meter.low, meter.high, meter.optimum] = [0.75, 0.95, 0];
      meter.value = quotaUsedBytes / quotaBytes;
    },
  };
}

function switchCell(name: string, cell: HTMLTableCellElement, onSwitch: Switch): Part {
  const button = element("button", { type: "button" });
  cell.append(button);
  let to: "on" | "off" = "off";
  button.addEventListener("click", () => onSwitch(name, to));
  return {
    cell,
    update: ({ off }) => {
      to = off ? "on" : "off";
      setText(button, `Switch ${to}`);
      button.setAttribute("aria-label", `Switch ${name} ${to}`);
    },
  };
}
