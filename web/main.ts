/**
 * The dashboard's page: follows the tunnel, and begins again when that ends.
 *
 * @module
 */

import licence from "uplot/LICENSE" with { type: "text" };
import type { PeerHistory } from "../src/http/history.ts";
import type { LiveSample } from "../src/http/live.ts";
import { Charts } from "./charts.ts";
import { byId, setText } from "./dom.ts";
import { EventList, type Happening } from "./event_list.ts";
import { duration, rate } from "./format.ts";
import { LinksTable } from "./links_table.ts";
import { numberTable } from "./number_table.ts";
import { PeersTable } from "./peers_table.ts";
import { Series } from "./series.ts";
import { follow, keepToken, Refused, switchLink, takeToken } from "./server.ts";

const RETRY_MS = 2_000;

/** The page while it is open. */
class Page {
  readonly #series = new Series();
  readonly #charts = new Charts(byId("charts"), this.#series);
  readonly #events = new EventList();
  readonly #table = new LinksTable((link, to) => void this.#switch(link, to));
  readonly #peers = new PeersTable((peer) => {
    this.#peer = peer;
    this.#following.abort();
  });
  #token = takeToken();
  /** Undefined until somebody has chosen. */
  #peer: string | undefined;
  #following = new AbortController();

  constructor() {
    byId("licence").textContent = licence;
    byId("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      const input = byId<HTMLInputElement>("token");
      this.#token = input.value.trim().replace(/^.*#/, "");
      input.value = "";
      keepToken(this.#token);
      void this.run();
    });
    byId("spans").addEventListener("click", ({ target }) => this.#setSpan(target as HTMLElement));
    byId("numbers").addEventListener("toggle", () => {
      byId("numbers").querySelector(".scroll")!.replaceChildren(numberTable(this.#series));
    });
  }

  /** Follows the tunnel until the token is refused. */
  async run(): Promise<void> {
    byId("ask").hidden = true;
    while (this.#token !== "") {
      this.#following = new AbortController();
      try {
        await this.#follow(this.#following.signal);
        throw new Error("The tunnel has ended");
      } catch (error) {
        if (this.#following.signal.aborted) continue;
        if (error instanceof Refused) {
          this.#notice(error.message);
          break;
        }
        setState("no answer", "bad");
        this.#notice(`No answer from the tunnel, trying again: ${(error as Error).message}`);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    setState("no token", "bad");
    byId("ask").hidden = false;
    byId("shown").hidden = true;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const { name, data } of follow(this.#token, this.#peer, signal)) {
      const value: unknown = JSON.parse(data);
      if (name === "history") this.#series.begin(value as PeerHistory);
      else if (name === "sample") this.#show(value as LiveSample);
      else if (name === "happening") this.#events.add(value as Happening);
    }
  }

  #show(sample: LiveSample): void {
    this.#notice("");
    byId("shown").hidden = false;
    const { name, role, peer, peers, links, mayControl } = sample;
    document.title = `${name} – aggvpn`;
    setText(byId("name"), name);
    const current = peers.find((one) => one.name === peer);
    const isUp = current?.state === "up";
    setState(current?.state ?? "no peer", isUp ? "good" : "warn");
    const facts = [
      `${role} on ${sample.interface}`,
      `packets of up to ${sample.mtu} bytes`,
      `running for ${duration(sample.uptimeUs)}`,
      ...current && current.reason !== "" ? [current.reason] : [],
    ];
    setText(byId("facts"), facts.join(", "));
    byId("choice").hidden = role === "client" || peers.length < 2;
    this.#peers.show(peers, peer);
    setText(byId("receiving"), rate(current?.receiveBps ?? 0));
    setText(byId("sending"), rate(current?.sendBps ?? 0));
    setText(byId("up"), `${current?.linksUp ?? 0} of ${links.length}`);
    this.#table.show(peer, links, mayControl);
    this.#series.add(sample);
    this.#charts.draw();
  }

  #setSpan(button: HTMLElement): void {
    const { seconds } = button.dataset;
    if (seconds === undefined) return;
    for (const other of byId("spans").children) {
      other.setAttribute("aria-pressed", `${other === button}`);
    }
    this.#charts.setSpan(Number(seconds));
  }

  async #switch(link: string, to: "on" | "off"): Promise<void> {
    const done = byId("done");
    setText(done, `Switching ${link} ${to}`);
    try {
      setText(done, await switchLink(this.#token, link, to));
    } catch (error) {
      setText(done, (error as Error).message);
    }
  }

  #notice(text: string): void {
    const notice = byId("notice");
    notice.hidden = text === "";
    setText(notice, text);
  }
}

function setState(text: string, kind: string): void {
  const state = byId("state");
  state.className = `state ${kind}`;
  setText(state, text);
}

await new Page().run();
