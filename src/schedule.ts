/** How the links share the work: the sum of all, the least delay, or everything everywhere. */
export type Schedule = "fast" | "steady" | "redundant";
