/**
 * A checked configuration: what the rest of the program sees of a TOML file.
 *
 * Every default is filled in; units are those of the suffixes. `schema.ts` holds
 * every key once, `parse.ts` makes this from a text.
 *
 * @module
 */

import type { Address, Prefix } from "../address.ts";
import type { Duplicate } from "../duplicate.ts";
import type { LinkOptions } from "../link_options.ts";
import type { RuleOptions } from "../rule_options.ts";
import type { Schedule } from "../schedule.ts";
import type { HostAndPort } from "./host_port.ts";

/** How much is logged. */
export type LogLevel = "error" | "warning" | "info" | "debug" | "trace";

/** In which form, and where to: {@linkcode LogLevel} says how much. */
export type LogFormat = "text" | "json" | "syslog";

/** A host, by its address or its name, and a port. */
export interface HostPort {
  readonly host: Address | string;
  readonly port: number;
}

/** An address and a port to listen on. */
export interface ListenConfig extends HostPort {
  readonly host: Address;
}

/** One `[link.NAME]` table. */
export interface LinkConfig {
  readonly name: string;
  /** Where its datagrams go to each server: `remote`, or `server` with this link's `port`. */
  readonly remotes: readonly HostPort[];
  /** Source address (`bind`). */
  readonly bind?: Address;
  readonly localPort?: number;
  readonly interface?: string;
  readonly rdomain?: number;
  readonly table?: number;
  readonly vrf?: string;
  readonly mark?: number;
  /** Only while its interface has a default route of its own (`links`); a spare one has no name. */
  readonly auto?: boolean;
  readonly options: LinkOptions;
}

/** What authenticates one client: exactly one of these. */
export interface Secret {
  /** 32 bytes of `aggvpn genkey`, decoded. */
  readonly key?: Uint8Array;
  /** A pass phrase; stretched by scrypt before use. */
  readonly password?: string;
}

/** One `[client.NAME]` table of a server, or its only client. */
export interface ClientConfig {
  readonly name: string;
  readonly secret: Secret;
  /** Inner addresses and networks this client may use; empty: any. */
  readonly allowed: readonly Prefix[];
}

/** The `[tunnel]` table. */
export interface TunnelConfig {
  /** Interface name; the system picks one when absent. */
  readonly interface?: string;
  /** This end's address, with the prefix length of the tunnel's network. */
  readonly address?: Prefix;
  readonly address6?: Prefix;
  /** The other end's address. */
  readonly gateway?: Address;
  readonly gateway6?: Address;
  /** Inner MTU in bytes; derived from the links when absent. */
  readonly mtu?: number;
  readonly routes: readonly Prefix[];
  /** Name servers to ask while the tunnel is set up. */
  readonly dns: readonly Address[];
  /** Whether nothing may leave around the tunnel; only where a route is "default". */
  readonly leakGuard: boolean;
  readonly nat: boolean;
  readonly mssClamp: boolean;
  readonly offload: boolean;
  readonly rdomain?: number;
  /** How links share what this end sends. */
  readonly schedule: Schedule;
  /** For packets of the interactive class. */
  readonly duplicate: Duplicate;
  readonly up?: string;
  readonly down?: string;
}

/** The page for browsers. */
export interface DashboardConfig {
  readonly listen: ListenConfig;
  /** Whether links may be switched there. */
  readonly control: boolean;
  /** A new one at each start when absent. */
  readonly token?: string;
}

/** What both modes have. */
interface CommonConfig {
  readonly file: string;
  /** Name of this tunnel: `name`, or the file's base name. */
  readonly name: string;
  /** Path of the control socket. */
  readonly control: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Script run on up and down events, called as mlvpn calls its own. */
  readonly statusCommand?: string;
  /** Where metrics are served. */
  readonly metrics?: ListenConfig;
  readonly dashboard?: DashboardConfig;
  /** Whether rights are given up once the tunnel is set up. */
  readonly sandbox: boolean;
  readonly tunnel: TunnelConfig;
  readonly rules: readonly RuleOptions[];
}

/** A client: one secret, one or more servers, one or more links. */
export interface ClientModeConfig extends CommonConfig {
  readonly mode: "client";
  readonly secret: Secret;
  /** Patterns of interfaces that are no links of `links`; absent: the file names every link. */
  readonly linksExclude?: readonly string[];
  /** What the servers are called, the best one first. */
  readonly servers: readonly string[];
  readonly links: readonly LinkConfig[];
}

/** A server: one or more listen addresses, one or more clients. */
export interface ServerModeConfig extends CommonConfig {
  readonly mode: "server";
  readonly listen: readonly ListenConfig[];
  /** What clients are told to send to. */
  readonly publicAddress?: HostAndPort;
  readonly clients: readonly ClientConfig[];
}

/** A checked configuration. */
export type Config = ClientModeConfig | ServerModeConfig;

/** One thing wrong with a configuration file. */
export interface Problem {
  readonly severity: "error" | "warning";
  /** 1-based; 0 when the problem is with the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** What is wrong, with what was expected and what was found. */
  readonly message: string;
  readonly hint?: string;
}
