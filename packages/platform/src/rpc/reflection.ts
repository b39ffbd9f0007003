import { file_google_rpc_error_details } from "@boxoffice/proto/google/rpc/error_details_pb.ts";
import { ServerReflection as V1 } from "@boxoffice/proto/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as V1Alpha } from "@boxoffice/proto/grpc/reflection/v1alpha/reflection_pb.ts";
import {
  createRegistry,
  type DescEnum,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { type RpcService, service } from "./service.ts";

/**
 * Server reflection, with which grpcurl and `buf curl` work without a proto file: the files of the given
 * services and all that they import. v1alpha, which older tools ask for, has the same messages under other names.
 */
export function reflectionServices(served: readonly DescService[]): RpcService[] {
  const services = [...served, V1, V1Alpha];
  // No file of a service imports the details of errors; with them, grpcurl shows what they say.
  const files = closureOf([...services.map(({ file }) => file), file_google_rpc_error_details]);
  const catalog: Catalog = {
    services: services.map(({ typeName }) => typeName),
    files: new Map(files.map((file) => [file.proto.name, file])),
    symbols: new Map(files.flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file]))),
    registry: createRegistry(...files),
  };
  async function* serverReflectionInfo(requests: AsyncIterable<Request>) {
    for await (const request of requests) {
      yield { validHost: request.host, messageResponse: answer(catalog, request.messageRequest) };
    }
  }
  return [service(V1, { serverReflectionInfo }), service(V1Alpha, { serverReflectionInfo })];
}

/** What both versions have in common, whose generated types differ in their names only. */
type Request = { host: string; messageRequest: Question };

type Question =
  | { case: "listServices" | TextQuestion; value: string }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined; value?: undefined };

type TextQuestion = "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType";

type Answer =
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

type Catalog = {
  services: string[];
  /** By path, such as `google/protobuf/timestamp.proto`. */
  files: Map<string, DescFile>;
  /** By the fully qualified name of whatever a file declares. */
  symbols: Map<string, DescFile>;
  registry: Registry;
};

function answer(catalog: Catalog, { case: kind, value }: Question): Answer {
  switch (kind) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: catalog.services.map((name) => ({ name })) } };
    case "fileByFilename":
      return fileAnswer(catalog.files.get(value), value);
    case "fileContainingSymbol":
      return fileAnswer(catalog.symbols.get(value), value);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = value;
      const extension = extensionsOf(catalog, containingType).find(
        ({ number }) => number === extensionNumber,
      );
      return fileAnswer(extension?.file, `extension ${extensionNumber} of ${containingType}`);
    }
    case "allExtensionNumbersOfType": {
      if (catalog.registry.getMessage(value) === undefined) return notFound(value);
      const extensionNumber = extensionsOf(catalog, value).map(({ number }) => number);
      return { case: "allExtensionNumbersResponse", value: { baseTypeName: value, extensionNumber } };
    }
    case undefined:
      return errorAnswer(Code.InvalidArgument, "nothing was asked");
  }
}

function fileAnswer(file: DescFile | undefined, asked: string): Answer {
  if (file === undefined) return notFound(asked);
  const fileDescriptorProto = closureOf([file]).map(({ proto }) =>
    toBinary(FileDescriptorProtoSchema, proto),
  );
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

const notFound = (asked: string): Answer => errorAnswer(Code.NotFound, `${asked} is not known here`);

const errorAnswer = (errorCode: Code, errorMessage: string): Answer => ({
  case: "errorResponse",
  value: { errorCode, errorMessage },
});

function extensionsOf({ registry }: Catalog, typeName: string) {
  return [...registry]
    .filter((type) => type.kind === "extension")
    .filter((type) => type.extendee.typeName === typeName);
}

/** The files with all that they import, each once and before what it imports. */
function closureOf(files: readonly DescFile[]): DescFile[] {
  const closure = new Map<string, DescFile>();
  const add = (file: DescFile): void => {
    if (closure.has(file.proto.name)) return;
    closure.set(file.proto.name, file);
    for (const dependency of file.dependencies) add(dependency);
  };
  for (const file of files) add(file);
  return [...closure.values()];
}

function symbolsOf(file: DescFile): string[] {
  return [...nestedTypes(file)].flatMap((type) => [type.typeName, ...membersOf(type)]);
}

function membersOf(type: DescMessage | DescEnum | DescExtension | DescService): string[] {
  switch (type.kind) {
    case "service":
      return type.methods.map(({ name }) => `${type.typeName}.${name}`);
    case "message":
      return type.fields.map(({ name }) => `${type.typeName}.${name}`);
    case "enum":
      return type.values.map(({ name }) => `${scopeOf(type.typeName)}${name}`);
    case "extension":
      return [];
  }
}

/** The values of an enum stand beside it, not in it. */
const scopeOf = (typeName: string): string => typeName.slice(0, typeName.lastIndexOf(".") + 1);
