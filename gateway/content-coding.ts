/** How a body may be sent. */
export type Encoding = "br" | "gzip" | "identity";

/** The smallest form that the client takes: what it names with `q=0`, or not at all, it does not. */
export function chooseEncoding(acceptEncoding = ""): Encoding {
  if (accepts(acceptEncoding, "br")) return "br";
  return accepts(acceptEncoding, "gzip") ? "gzip" : "identity";
}

/** Whether `If-None-Match` names this tag: then the client has what would be sent. */
export function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch === etag) return true;
  return ifNoneMatch.split(",").some((tag) => [etag, "*"].includes(tag.trim().replace(/^W\//, "")));
}

/** Whether the header names the encoding, and not with `q=0`. */
export function accepts(acceptEncoding: string, encoding: string): boolean {
  return acceptEncoding.split(",").some((part) => {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
