import { fileDesc } from "@bufbuild/protobuf/codegenv2";

/**
 * Stands in for the rules language of the contract, which is 13 kB of descriptors that a browser never looks into:
 * the services check what they are sent. Only the file's name is needed, because the contract imports it.
 */
export const file_buf_validate_validate = /*@__PURE__*/ fileDesc(
  "ChtidWYvdmFsaWRhdGUvdmFsaWRhdGUucHJvdG8SDGJ1Zi52YWxpZGF0ZWIGcHJvdG8z",
);
