/**
 * The charts as a table, for who does not see them: a row for each half minute.
 *
 * @module
 */

import { element } from "./dom.ts";
import { clock, milliseconds, percent, rate } from "./format.ts";
import type { Series, Values } from "./series.ts";

const STEP = 30;

/** Makes the table of what there is now. */
export function numberTable({ times, links }: Series): HTMLTableElement {
  const head = element("tr", {}, header("col", "Until"));
  for (const { name } of links) {
    for (const what of ["receiving", "sending", "round trip", "loss out", "loss in"]) {
      head.append(header("col", `${name} ${what}`));
    }
  }
  const body = element("tbody", {});
  for (let end = times.length; end > 0; end -= STEP) {
    const mean = (values: Values): number | null =>
      meanOf(values.slice(Math.max(0, end - STEP), end));
    const row = element("tr", {}, header("row", clock(1000 * times[end - 1]!)));
    for (const { receive, send, rtt, sendLoss, receiveLoss } of links) {
      row.append(
        cell(rate(mean(receive))),
        cell(rate(mean(send))),
        cell(milliseconds(mean(rtt))),
        cell(percent(mean(sendLoss))),
        cell(percent(mean(receiveLoss))),
      );
    }
    body.append(row);
  }
  const caption = element("caption", {}, "Means of half a minute, the latest first");
  return element("table", {}, caption, element("thead", {}, head), body);
}

function header(scope: string, text: string): HTMLElement {
  return element("th", { scope }, text);
}

function cell(text: string): HTMLElement {
  return element("td", { class: "number" }, text);
}

function meanOf(values: Values): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
