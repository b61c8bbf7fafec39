/**
 * Which packets are sent on several links: none; some within a budget, where a link shows that it
 * is needed or wherever it may help; all.
 */
export type Duplicate = "off" | "needed" | "auto" | "all";
