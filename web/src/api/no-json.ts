/**
 * Stands in for the library's reading and writing of messages as JSON, in the built files: these pages speak binary,
 * and 6 kB that are never run would have to be loaded before anything is seen.
 */
const neverCalled = (): never => {
  throw new Error("these pages speak binary");
};

export const fromJson = neverCalled;
export const fromJsonString = neverCalled;
export const mergeFromJson = neverCalled;
export const mergeFromJsonString = neverCalled;
export const enumFromJson = neverCalled;
export const isEnumJson = neverCalled;
export const toJson = neverCalled;
export const toJsonString = neverCalled;
export const enumToJson = neverCalled;
