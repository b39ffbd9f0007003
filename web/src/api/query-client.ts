import { type DefaultOptions, QueryClient } from "@tanstack/react-query";
import { retrying } from "./retry.ts";

/** For this long an answer is as good as new to another part of a page, in milliseconds. */
const FRESH_MS = 1000;

export const queryDefaults: DefaultOptions = {
  queries: { ...retrying, staleTime: FRESH_MS },
  // An act is tried, and told to have failed, also where the browser believes that it is offline.
  mutations: { ...retrying, networkMode: "always" },
};

export function createQueryClient(): QueryClient {
  return new QueryClient({ defaultOptions: queryDefaults });
}
