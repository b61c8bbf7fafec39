/**
 * A server's clients, one of which is shown below.
 *
 * @module
 */

import type { PeerSummary } from "../src/http/live.ts";
import { byId, element, setText } from "./dom.ts";
import { rate } from "./format.ts";

interface Row {
  readonly row: HTMLTableRowElement;
  readonly update: (peer: PeerSummary, isShown: boolean) => void;
}

/** Keeps the rows, so that what has the focus keeps it. */
export class PeersTable {
  readonly #rows: Map<string, Row> = new Map();
  readonly #body = byId("peers");
  readonly #onChoice: (peer: string) => void;

  constructor(onChoice: (peer: string) => void) {
    this.#onChoice = onChoice;
  }

  /** Shows `peers`, of which `shown` is shown below. */
  show(peers: readonly PeerSummary[], shown: string): void {
    const names = new Set(peers.map(({ name }) => name));
    for (const [name, { row }] of this.#rows) {
      if (names.has(name)) continue;
      row.remove();
      this.#rows.delete(name);
    }
    peers.forEach((peer, i) => {
      let row = this.#rows.get(peer.name);
      if (!row) {
        row = makeRow(peer.name, this.#onChoice);
        this.#rows.set(peer.name, row);
        this.#body.insertBefore(row.row, this.#body.children[i] ?? null);
      }
      row.update(peer, peer.name === shown);
    });
  }
}

function makeRow(name: string, onChoice: (peer: string) => void): Row {
  const button = element("button", { type: "button" }, name);
  button.addEventListener("click", () => onChoice(name));
  const state = element("td", {});
  const [links, receiving, sending] = [number(), number(), number()];
  const header = element("th", { scope: "row" }, button);
  return {
    row: element("tr", {}, header, state, links, receiving, sending),
    update: (peer, isShown) => {
      button.setAttribute("aria-pressed", `${isShown}`);
      state.className = peer.state === "up" ? "good" : "warn";
      setText(state, peer.state);
      setText(links, `${peer.linksUp} of ${peer.links}`);
      setText(receiving, rate(peer.receiveBps));
      setText(sending, rate(peer.sendBps));
    },
  };
}

function number(): HTMLTableCellElement {
  return element("td", { class: "number" });
}
