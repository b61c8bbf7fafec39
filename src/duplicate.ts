/** Which packets are sent on several links: none, some within a budget, all. */
export type Duplicate = "off" | "auto" | "all";
