import type { DescField, DescFile, DescMessage, DescMethod } from "@bufbuild/protobuf";

/** Numbers of fields in google/protobuf/descriptor.proto, by which source info says where something stands. */
const AT = { message: 4, service: 6, field: 2, nested: 3, method: 2 } as const;

/** The comment before something in a proto file, or behind it on its line. Empty where there is none. */
export function commentsOf(desc: DescMessage | DescField | DescMethod): string {
  const path = pathOf(desc).join();
  const location = fileOf(desc).proto.sourceCodeInfo?.location.find((one) => one.path.join() === path);
  const text = location?.leadingComments || location?.trailingComments || "";
  return text
    .split("\n")
    .map((line) => line.trim())
    .join("\n")
    .trim();
}

function fileOf(desc: DescMessage | DescField | DescMethod): DescFile {
  return "file" in desc ? desc.file : desc.parent.file;
}

function pathOf(desc: DescMessage | DescField | DescMethod): number[] {
  switch (desc.kind) {
    case "message":
      return desc.parent === undefined
        ? [AT.message, desc.file.messages.indexOf(desc)]
        : [...pathOf(desc.parent), AT.nested, desc.parent.nestedMessages.indexOf(desc)];
    case "field":
      return [...pathOf(desc.parent), AT.field, desc.parent.proto.field.indexOf(desc.proto)];
    case "rpc":
      return [
        ...[AT.service, desc.parent.file.services.indexOf(desc.parent)],
        ...[AT.method, desc.parent.methods.indexOf(desc)],
      ];
  }
}
