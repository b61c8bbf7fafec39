/**
 * What the program needs of an operating system. `linux/`, `openbsd/` and
 * `memory/` implement it; `detect.ts` chooses.
 *
 * @module
 */

import type { Address, Family, Prefix } from "../address.ts";
import type { ReceiveBatch, SendFailure, TransmitBatch } from "../batch.ts";
import type { AeadProvider } from "../crypto/aead.ts";
import type { Remote } from "../remote.ts";
import type { PacketPool } from "../slab.ts";
import type { Inquiry, InquiryKind } from "./inquiry.ts";

/** A TUN interface, non-blocking. */
export interface Tun {
  readonly name: string;
  readonly fd: number;
  /**
   * Reads at most `limit` packets, each into a slot taken from `pool` (bytes
   * from `PACKET_OFFSET`, `pool.lengths` set), and stores the slots in `slots`.
   * Returns how many; 0 when nothing waits. Throws AggvpnError when the
   * interface is gone. Pass the same pool every time: what was read but found no room waits in it.
   */
  read(pool: PacketPool, slots: Int32Array, limit: number): number;
  /** Whether {@linkcode read} has more although the descriptor may not be ready. */
  readonly backlog: boolean;
  /**
   * Writes `count` packets, and fills in missing checksums (`pool.needsChecksum`). The caller keeps
   * the slots, but their packets are no longer usable. Returns how many the kernel took.
   */
  write(pool: PacketPool, slots: Int32Array, count: number): number;
  /** Dropped packets: longer than a slot may hold, or making no sense. */
  readonly oversizePackets: number;
  readonly malformedPackets: number;
  /** What the system leaves to this program instead of doing it for each packet; human-readable. */
  readonly offload: string;
  close(): void;
}

/** Whether to use the system's offload or do without. */
export type TunKind = "offload" | "plain";

/** A UDP socket of one link (client) or one listen address (server), non-blocking. */
export interface LinkSocket {
  readonly fd: number;
  /** The address it is bound to, as people write it. */
  readonly localAddress: string;
  /**
   * Replaces the contents of `batch` by what waits; returns `batch.count`. While {@linkcode
   * backlog} is set the rest is in the same batch: call again before any other socket uses it.
   */
  receive(batch: ReceiveBatch): number;
  readonly backlog: boolean;
  /**
   * Sends the datagrams of `batch` from `first` on. Returns how many were sent; fewer than asked
   * when the next one failed: {@linkcode failure} says why.
   */
  send(batch: TransmitBatch, first: number): number;
  /** Why the last {@linkcode send} stopped short. */
  readonly failure: SendFailure | undefined;
  /** Datagrams the kernel says it dropped because the receive buffer was full. */
  readonly receiveDrops: number;
  close(): void;
}

/** Waits for descriptors and for a deadline at once. */
export interface Poller {
  /** Replaces the watched descriptors. `writable` waits for writability too. */
  watch(fds: readonly { fd: number; writable: boolean }[]): void;
  /**
   * Resolves when a descriptor is ready, {@linkcode wake} is called or
   * `timeoutUs` (0 polls, Infinity waits) has passed. One wait at a time.
   */
  wait(timeoutUs: number): Promise<void>;
  /**
   * Waits as {@linkcode wait} does, but on this thread: nothing else of the program runs
   * meanwhile. Returns false, having waited little or not at all, when the rest of the program may
   * have something to do; then call `wait()`, which lets it run and may end early.
   */
  waitHere(timeoutUs: number): boolean;
  /** Makes the next waits let the rest of the program run: it has been given something to do. */
  letRun(): void;
  /** Tells whether descriptor number `index` of {@linkcode watch} was ready in the last wait. */
  ready(index: number): boolean;
  /** Ends the current wait, or the next one. */
  wake(): void;
  close(): void;
}

/** What a link's socket is bound to. Absent fields are left to the system. */
export interface SocketOptions {
  readonly name: string;
  /**
   * Local address to bind. A wildcard (`0.0.0.0`,
   * `::`) also records which address each datagram was sent to, for the reply to leave from;
   * without an address the system chooses a source for every datagram.
   */
  readonly address?: Address;
  readonly port?: number;
  /** Address family when no address is given. */
  readonly family: Family;
  /** SO_BINDTODEVICE (Linux); empty: it is not to be opened yet. */
  readonly interface?: string;
  /** SO_MARK (Linux). */
  readonly mark?: number;
  /** SO_RTABLE (OpenBSD). */
  readonly rdomain?: number;
}

/**
 * A link as the system sees it: what its socket is bound to, and where its datagrams go. Either may
 * change.
 */
export interface WatchedLink {
  readonly socket: SocketOptions;
  /** Absent for a server, which sends wherever its clients are. */
  readonly remote?: Address | undefined;
}

/** What may change in a network; "lost": what the system told was more than there was room for. */
export type NetworkKind = "interface" | "address" | "route" | "lost";

/** What has changed, as far as it can concern a link. */
export interface NetworkChange {
  /** Empty: nothing. */
  readonly kinds: ReadonlySet<NetworkKind>;
  /** Numbers of the interfaces where that was. */
  readonly interfaces: ReadonlySet<number>;
}

/** The way that the datagrams of a link have. */
export interface LinkWay {
  /** Why none can leave, in words: `ppp0 has no carrier`. */
  readonly obstacle: string | undefined;
  /** Number and MTU in bytes of the interface they leave by; 0: none is known. */
  readonly interface: number;
  readonly mtu: number;
}

/** Hears of changes of the network. */
export interface NetworkWatch {
  /** Readable while there is something to hear. */
  readonly fd: number;
  /** Hears what there is, but no more than takes a few milliseconds. Never throws. */
  drain(): NetworkChange;
  /** Asks the system about the link of that number. Never throws: what is not known is no obstacle. */
  look(link: number): LinkWay;
  close(): void;
}

/** A default route by one interface. */
export interface DefaultRoute {
  readonly family: Family;
  /** Absent on a point-to-point interface. */
  readonly gateway?: Address;
  /** The smallest wins. */
  readonly metric: number;
}

/** An interface as it is right now. */
export interface HostInterface {
  readonly name: string;
  /** Whether something can leave by it: it is up and has a carrier. */
  readonly isRunning: boolean;
  /** Those that last and are valid beyond its network. */
  readonly addresses: readonly Address[];
  /** Those of the main table that lead through it alone, the best of each family first. */
  readonly defaults: readonly DefaultRoute[];
}

/** An interface by which a link leaves that nobody has configured, and the number of the link. */
export interface Uplink {
  readonly link: number;
  readonly interface: HostInterface;
}

/** What is needed to find uplinks, where links are tied to interfaces. */
export interface UplinkSystem {
  /** Returns all interfaces. Throws AggvpnError when the system does not tell. */
  list(): readonly HostInterface[];
  /**
   * Looks at what the host has, and returns the function that makes the commands by which what
   * uplinks receive and answer keeps to them. Links of one number get the same.
   */
  planner(): (uplinks: readonly Uplink[]) => readonly SystemChange[];
}

/** A command that changes the system, as the user would type it. */
export interface SystemCommand {
  /** Such as `["ip", "link", "set", "dev", "agg0", "up"]`. */
  readonly run: readonly string[];
  /** What the command reads from its standard input; whole lines. */
  readonly input?: string;
}

/** How to see whether something is as it should be. */
export interface Look {
  /** Changes nothing; without output when it fails. */
  readonly run: readonly string[];
  /** What its output then has. */
  readonly shows: RegExp;
  /** Without this nothing that depends on it can be put right, and whoever changed it meant to. */
  readonly isGate?: boolean;
}

/** One reversible change of the system. */
export interface SystemChange extends SystemCommand {
  /** The command that undoes it; absent when it disappears with the interface. */
  readonly undo?: readonly string[];
  /**
   * Its failure is no reason to stop: it clears away what a crash may have left or, when there is
   * an `undo`, the user is told about it.
   */
  readonly mayFail?: boolean;
  /**
   * Returns the command that makes this follow when the tunnel has another MTU, in bytes; what
   * undoes it stays the same. Absent when it does not depend on the MTU.
   */
  readonly atMtu?: (mtu: number) => SystemCommand;
  /** It is so already, by somebody else: it is made, and then undone, only if that changes. */
  readonly isDone?: boolean;
  /** Tells whether it is still so; absent when nobody else would change it. */
  readonly look?: Look;
  /** Which part of the plan it makes true, if that may change later: `plan_parts.ts`. */
  readonly part?: string;
}

/** An address of an interface. */
export interface InterfaceAddress {
  readonly address: Prefix;
  /** The other end of a point-to-point interface, when it is told. */
  readonly peer?: Address;
  readonly isAnycast: boolean;
}

/** A tunnel interface as it was before it was opened; it stays when it is closed. */
export interface KeptInterface {
  readonly name: string;
  readonly isUp: boolean;
  /** Routing domain. */
  readonly rdomain: number;
  /** In bytes. */
  readonly mtu: number;
  /** In the system's order, including those that it adds by itself. */
  readonly addresses: readonly InterfaceAddress[];
}

/** A finding of {@linkcode Platform.inspect}. */
export interface HostFinding {
  readonly severity: "error" | "warning" | "info";
  readonly message: string;
  readonly hint?: string;
}

/** What the tunnel interface and the routing are to look like. */
export interface NetworkPlan {
  readonly interface: string;
  readonly mtu: number;
  /** What the interface was before; absent when it disappears with the tunnel. */
  readonly kept?: KeptInterface;
  /** Routing domain to put it into (OpenBSD); absent: where it is. */
  readonly rdomain?: number;
  /** Local addresses. */
  readonly addresses: readonly Prefix[];
  /** Addresses of the other end, of each family at most one. */
  readonly gateways: readonly Address[];
  /** Destinations to send through the tunnel, each with an optional gateway. */
  readonly routes: readonly { readonly destination: Prefix; readonly gateway?: Address }[];
  /** Policy rules that send a link's traffic to its own table (Linux `table =`). */
  readonly links: readonly {
    readonly name: string;
    readonly address?: Address;
    readonly interface?: string;
    readonly mark?: number;
    readonly table?: number;
    /** UDP ports of the servers. */
    readonly remotePorts?: readonly number[];
    /** Address family of a link without an address; 4 when absent. */
    readonly family?: Family;
  }[];
  /** Name servers to ask while the tunnel is set up; absent or empty: those of the host. */
  readonly dns?: readonly Address[];
  /** Masquerade what leaves this host from the tunnel's networks. */
  readonly nat: boolean;
  /** Clamp the MSS of forwarded TCP connections to the tunnel's MTU. */
  readonly mssClamp: boolean;
}

/** What may leave a host around a tunnel that carries everything else. */
export interface GuardPlan {
  /** Name of the tunnel, which has one guard whatever its interface is called. */
  readonly name: string;
  /** The tunnel's interface; absent while the system has not chosen a name yet. */
  readonly interface?: string;
  /** Where the tunnel's datagrams go. */
  readonly remotes: readonly { readonly address: Address; readonly port: number }[];
  /** Interfaces that links leave by, as far as the configuration names them. */
  readonly uplinks: readonly string[];
  /** Whether questions to name servers may leave: the name of a server is being looked up. */
  readonly asksNames: boolean;
}

/** Takes messages of which each is one datagram. */
export interface MessageSink {
  /** Hands a message over without waiting; tells whether it was taken. Never throws. */
  send(message: Uint8Array<ArrayBuffer>): boolean;
  close(): void;
}

/** The log of a system: syslog(3). */
export interface SyslogSink extends MessageSink {
  /** Whether a message says when it was written; else whoever takes it notes the time. */
  readonly wantsTime: boolean;
}

/** How a service tells its manager what it does: sd_notify(3). */
export interface ServiceManager {
  /** Opens the Unix datagram socket `path`; "@" begins an abstract one. Throws AggvpnError. */
  open(path: string): MessageSink;
  /** Microseconds by the clock that the manager goes by. */
  monotonicUs(): number;
}

/** Whether something keeps this host's clock right, or nothing does. */
export type ClockState = "synchronized" | "free";

/** What a host has already, for whoever sets up a tunnel on it. */
export interface HostSurvey {
  /** Names of all interfaces. */
  readonly interfaces: readonly string[];
  readonly addresses: readonly { readonly interface: string; readonly address: Prefix }[];
  /** Destinations of its routes. */
  readonly routes: readonly Prefix[];
  /** Ways to the internet. */
  readonly uplinks: readonly SurveyedUplink[];
}

/** An interface with a default route. */
export interface SurveyedUplink {
  readonly interface: string;
  /** Its routing domain (OpenBSD). */
  readonly rdomain?: number;
  /** Absent on a point-to-point interface. */
  readonly gateway?: Address;
}

/** One operating system. */
export interface Platform {
  /** Such as `linux`; for messages. */
  readonly os: string;
  /** Directory for what is kept across restarts; created when it is first needed. */
  readonly stateDirectory: string;
  /**
   * Opens a TUN interface; the system chooses a name when none is given.
   * Throws AggvpnError (no device node, no privilege, name taken).
   */
  openTun(name: string | undefined, kind: TunKind): Tun;
  /**
   * Opens and binds a UDP socket. Throws AggvpnError (port in use, ...), AbsentError when an
   * interface, a routing domain or an address is not there.
   */
  openSocket(options: SocketOptions): LinkSocket;
  /**
   * Opens a socket that is connected to `remote` and leaves as those of a link with these options do.
   * Throws AggvpnError as {@linkcode openSocket} does.
   */
  openInquiry(options: SocketOptions, remote: Remote, kind: InquiryKind): Inquiry;
  /** Undefined when the system does not tell. */
  clockState(): Promise<ClockState | undefined>;
  /** Why the system may drop what comes by a link with these options. */
  answerFilter(link: SocketOptions): HostFinding | undefined;
  /**
   * Returns the MTU in bytes of the interface that a link with these options leaves by; undefined
   * when they do not say which one that is, or it does not exist yet.
   */
  interfaceMtu(link: SocketOptions): number | undefined;
  openPoller(): Poller;
  /**
   * Hears of every change that may concern `links` from now on, {@linkcode sandbox} or not: the
   * list may change. Returns undefined where the system does not tell.
   */
  watchNetwork(links: readonly WatchedLink[]): NetworkWatch | undefined;
  /** Absent where an interface does not make a link. */
  readonly uplinks?: UplinkSystem;
  /** libcrypto through FFI, or undefined where it cannot be loaded. */
  libcrypto(): AeadProvider | undefined;
  /**
   * Interfaces that {@linkcode openTun} with this name may open and that closing leaves
   * behind. Call it before, since opening creates an interface or changes an existing one.
   */
  keptInterfaces(name: string | undefined): readonly KeptInterface[];
  /** The commands that undo what opening and closing such an interface does, once it is closed. */
  closedCommands(kept: KeptInterface): readonly (readonly string[])[];
  /**
   * The commands that make `plan` true, in order. Of those that depend on the MTU the interface's
   * comes first. Throws AggvpnError when something of the host is in the way.
   */
  networkChanges(plan: NetworkPlan): readonly SystemChange[];
  /**
   * Looks at the host's own networks and returns the change that lets nothing leave but what `plan`
   * says: one command, which also replaces an earlier guard of this name at once. Throws AggvpnError
   * when this host cannot do that.
   */
  guardChange(plan: GuardPlan): Promise<SystemChange>;
  /** Programs that {@linkcode guardChange} runs. */
  readonly guardPrograms: readonly string[];
  /**
   * Waits until the addresses of `plan` can be used, at most a few seconds. Returns what is
   * wrong with those that cannot.
   */
  awaitAddresses(plan: NetworkPlan): Promise<readonly HostFinding[]>;
  /** Opens the system's log, which {@linkcode sandbox} leaves open. Throws AggvpnError. */
  openSyslog(): SyslogSink;
  /** Absent where services have no such manager. */
  readonly serviceManager?: ServiceManager;
  /** Looks at the networks that this host has; changes nothing. */
  survey(): HostSurvey;
  /** Checks this host for what a configuration needs; changes nothing. */
  inspect(plan: HostNeeds): readonly HostFinding[];
  /** Makes SIGUSR1 harmless: on it Deno would start a debugger. */
  secureSignals(): void;
  /** Lets this process go before ordinary ones, if it may and nobody has decided otherwise. */
  raisePriority(): void;
  /** Asks a process to end, as SIGTERM does. Throws AggvpnError when the system refuses. */
  endProcess(pid: number): void;
  /**
   * Kills every process of the group that process `leader` leads, a child of this one; it is no
   * error if they have ended. Throws AggvpnError when the system refuses.
   */
  killGroup(leader: number): void;
  /**
   * Looks a name up where the datagrams of a link with these options would be routed.
   * Throws AbsentError when it is unknown there.
   */
  lookup(host: string, link: Pick<SocketOptions, "rdomain">): Promise<readonly Address[]>;
  /**
   * What the user should know about how this process was started.
   *
   * @param openFiles files that it may have to have open at once
   */
  startFindings(openFiles: number): readonly HostFinding[];
  /**
   * Gives up every right except those that a running tunnel needs and those in `needs`. Returns
   * undefined, or why nothing was given up. Throws AggvpnError when the system refuses.
   */
  sandbox(needs: SandboxNeeds): string | undefined;
}

/** What a process still has to do after {@linkcode Platform.sandbox}. */
export interface SandboxNeeds {
  /** Programs to run, by name or path. */
  readonly programs: readonly string[];
  /** Files to replace or remove. */
  readonly files: readonly string[];
  /** Directories to keep files in. */
  readonly directories: readonly string[];
  /** What {@linkcode Platform.lookup} will be called with besides the name. */
  readonly lookups: readonly Pick<SocketOptions, "rdomain">[];
}

/** A link as {@linkcode Platform.inspect} looks at it. */
export interface LinkNeeds extends SocketOptions {
  /** Addresses of the other ends, where they are no names. */
  readonly remotes: readonly Address[];
  /** Its routing table (Linux). */
  readonly table?: number;
  /** Whether it gets a table and rules by itself ({@linkcode UplinkSystem.planner}). */
  readonly isRouted?: boolean;
}

/** What {@linkcode Platform.inspect} looks for. */
export interface HostNeeds {
  /** Of an interface that is not there yet. */
  readonly tunName: string | undefined;
  /** How the interface, if it has a name, and the routing are to look. */
  readonly plan: Pick<NetworkPlan, "interface" | "rdomain" | "addresses" | "routes" | "dns">;
  readonly links: readonly LinkNeeds[];
  readonly listen: readonly { readonly host: Address; readonly port: number }[];
  /** Whether nothing may leave around the tunnel. */
  readonly leakGuard: boolean;
  readonly nat: boolean;
  readonly mssClamp: boolean;
  readonly forwarding: boolean;
  /** Files that may have to be open at once. */
  readonly openFiles: number;
}
