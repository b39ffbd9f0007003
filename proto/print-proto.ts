import {
  type DescEnum,
  type DescExtension,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescOneof,
  ScalarType,
} from "@bufbuild/protobuf";

/**
 * Prints a proto2 or proto3 file as source again, without comments and custom options. It exists because
 * buf needs `buf/validate/validate.proto` as source, while its npm package ships only the descriptor.
 */
export function printProto(file: DescFile): string {
  const syntax = file.proto.syntax || "proto2";
  return [
    `syntax = "${syntax}";`,
    `package ${file.proto.package};`,
    ...file.proto.dependency.map((path) => `import "${path}";`),
    ...file.enums.flatMap(printEnum),
    ...file.messages.flatMap((message) => printMessage(message, syntax)),
    ...file.extensions.flatMap((extension) => printExtension(extension, syntax)),
    "",
  ].join("\n");
}

function printMessage(message: DescMessage, syntax: string): string[] {
  const { extensionRange, reservedRange } = message.proto;
  const body = [
    ...message.nestedEnums.flatMap(printEnum),
    ...message.nestedMessages.flatMap((nested) => printMessage(nested, syntax)),
    ...message.members.flatMap((member) =>
      member.kind === "oneof" ? printOneof(member, syntax) : [printField(member, syntax)],
    ),
    ...extensionRange.map(({ start, end }) => `extensions ${start} to ${lastOf(end)};`),
    ...reservedRange.map(({ start, end }) => `reserved ${start} to ${lastOf(end)};`),
    ...message.nestedExtensions.flatMap((extension) => printExtension(extension, syntax)),
  ];
  return [`message ${message.name} {`, ...indent(body), "}"];
}

function printOneof(oneof: DescOneof, syntax: string): string[] {
  return [`oneof ${oneof.name} {`, ...indent(oneof.fields.map((field) => printField(field, syntax))), "}"];
}

function printExtension(extension: DescExtension, syntax: string): string[] {
  return [`extend .${extension.extendee.typeName} {`, ...indent([printField(extension, syntax)]), "}"];
}

function printEnum(desc: DescEnum): string[] {
  const alias = desc.proto.options?.allowAlias ? ["option allow_alias = true;"] : [];
  const values = desc.values.map((value) => `${value.name} = ${value.number};`);
  return [`enum ${desc.name} {`, ...indent([...alias, ...values]), "}"];
}

function printField(field: DescField | DescExtension, syntax: string): string {
  return `${printLabel(field, syntax)}${printType(field)} ${field.name} = ${field.number};`;
}

function printLabel(field: DescField | DescExtension, syntax: string): string {
  if (field.fieldKind === "map" || field.oneof) return "";
  if (field.fieldKind === "list") return "repeated ";
  return syntax === "proto2" || field.proto.proto3Optional ? "optional " : "";
}

function printType(field: DescField | DescExtension): string {
  if (field.fieldKind === "map") {
    const value = field.mapKind === "scalar" ? scalarName(field.scalar) : printReference(field);
    return `map<${scalarName(field.mapKey)}, ${value}>`;
  }
  return field.scalar === undefined ? printReference(field) : scalarName(field.scalar);
}

function printReference(field: DescField | DescExtension): string {
  const target = field.message ?? field.enum;
  if (target === undefined) throw new Error(`${field.name} refers to no message and no enum`);
  return `.${target.typeName}`;
}

const scalarName = (scalar: ScalarType): string => ScalarType[scalar].toLowerCase();

/** Ranges of a descriptor exclude their end; 2^29 stands for "max". */
const lastOf = (end: number): string => (end >= 2 ** 29 ? "max" : String(end - 1));

const indent = (lines: string[]): string[] => lines.map((line) => `  ${line}`);
