/** Writes what is 0, false or empty too: whoever reads `"available": 0` need not know that it could be left out. */
export const JSON_OPTIONS = { alwaysEmitImplicit: true, ignoreUnknownFields: true };
