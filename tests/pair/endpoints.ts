/**
 * The options of two endpoints that know each other, shared by tests, simulator and stages.
 *
 * @module
 */

import type { AeadProvider } from "../../src/crypto/aead.ts";
import type { Remote } from "../../src/remote.ts";
import type { PacketPool } from "../../src/slab.ts";
import type { ClientLink, ClientOptions, EndpointOptions } from "../../src/tunnel/options.ts";
import type { Rng } from "./rng.ts";
import { SIM_AEAD } from "./sim_aead.ts";

/** Visibly fake. */
export const PSK: Uint8Array<ArrayBuffer> = new Uint8Array(32).fill(0x5a);
/** Where the clock of a client stands at the virtual instant 0: 2026-01-01. */
const EPOCH_US = 1_767_225_600_000_000;
const MTU = 1400;

/** What both ends are told about some packets. */
export type Policy = Pick<EndpointOptions, "rules" | "duplicate" | "schedule">;

/** How two ends differ from the minimal ones. */
export interface SharedOptions extends Policy {
  readonly aead?: AeadProvider;
  /** Largest inner packet, in bytes. */
  readonly mtu?: number;
}

/** What both ends have in common. */
export type Shared =
  & Policy
  & Pick<EndpointOptions, "aead" | "random" | "mtu">;

/** Returns the common options of both ends; `rng` is the only source of randomness. */
export function sharedOptions(rng: Rng, differences: SharedOptions = {}): Shared {
  return {
    aead: SIM_AEAD,
    random: (out: Uint8Array): void => rng.fill(out),
    mtu: MTU,
    ...differences,
  };
}

/** The end that begins the handshake. */
export function clientEnd(
  shared: Shared,
  pool: PacketPool,
  links: readonly ClientLink[],
  psk: Uint8Array = PSK,
  clockErrorUs: () => number = () => 0,
  servers: readonly string[] = ["server"],
): EndpointOptions {
  const stampUs = (now: number): number => EPOCH_US + now + clockErrorUs();
  return { ...shared, pool, role: "client", psk: psk.slice(), servers, links, stampUs };
}

/** The end that answers. */
export function serverEnd(
  shared: Shared,
  pool: PacketPool,
  clients: readonly ClientOptions[],
): EndpointOptions {
  return { ...shared, pool, role: "server", clients };
}

/** A client as the server knows it. */
export function knownClient(
  name: string,
  differences: Partial<Omit<ClientOptions, "name">> = {},
): ClientOptions {
  return { name, psk: PSK.slice(), allowed: [], ...differences };
}

/** A link of the client on which only `differences` are configured. */
export function linkTo(
  name: string,
  remote: Remote,
  differences: Partial<Omit<ClientLink, "name">> = {},
): ClientLink {
  return {
    name,
    remotes: [remote],
    tier: "primary",
    metered: false,
    uploadBps: 0,
    downloadBps: 0,
    timeoutUs: 750_000,
    ...differences,
  };
}
