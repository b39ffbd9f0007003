import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { ServerReflection } from "@boxoffice/proto/grpc/reflection/v1/reflection_pb.ts";
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescService,
  fromBinary,
} from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";

/** Every method of ours that a server says it has, by server reflection, as anybody with grpcurl would see it. */
export async function reflectedMethods(transport: Transport): Promise<DescMethod[]> {
  const services = await reflectedServices(transport);
  return services.filter(({ typeName }) => !typeName.startsWith("grpc.")).flatMap(({ methods }) => methods);
}

async function reflectedServices(transport: Transport): Promise<DescService[]> {
  const client = createRpcClient(ServerReflection, transport);
  async function* listServices() {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
  }
  const names: string[] = [];
  for await (const { messageResponse } of client.serverReflectionInfo(listServices())) {
    if (messageResponse.case !== "listServicesResponse") throw new Error("expected a list of services");
    names.push(...messageResponse.value.service.map(({ name }) => name));
  }
  async function* filesOf() {
    for (const value of names) yield { messageRequest: { case: "fileContainingSymbol" as const, value } };
  }
  const files = new Map<string, FileDescriptorProto>();
  for await (const { messageResponse } of client.serverReflectionInfo(filesOf())) {
    if (messageResponse.case !== "fileDescriptorResponse") throw new Error("expected files");
    for (const bytes of messageResponse.value.fileDescriptorProto) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      files.set(file.name, file);
    }
  }
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: importsFirst(files) }));
  return names.map((name) => {
    const service = registry.getService(name);
    if (service === undefined) throw new Error(`reflection names ${name} and does not describe it`);
    return service;
  });
}

/** A registry reads each file after those that it imports. */
function importsFirst(files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const ordered = new Set<FileDescriptorProto>();
  const add = (name: string): void => {
    const file = files.get(name);
    if (file === undefined || ordered.has(file)) return;
    for (const imported of file.dependency) add(imported);
    ordered.add(file);
  };
  for (const name of files.keys()) add(name);
  return [...ordered];
}
