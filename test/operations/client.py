"""What gRPC's own Python client sees of a service, without a proto file: what reflection lists, the health by Check and
Watch, and the answer to one call whose messages reflection describes. Prints it as JSON.

  python3 client.py ADDRESS SERVICE METHOD REQUEST-AS-JSON
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

SECONDS = 10
STRING, BYTES, ENUM, MESSAGE = 9, 12, 14, 11
SINGULAR, REPEATED = 1, 3


def declare(pool, package, messages, enums=None):
    """Declares the few fields of a published interface that are needed here."""
    file = descriptor_pb2.FileDescriptorProto(name=package + ".proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for number, field, label, kind, of in fields:
            message.field.add(
                name=field, number=number, label=label, type=kind, type_name=of and f".{package}.{of}"
            )
    for name, values in (enums or {}).items():
        enum = file.enum_type.add(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
    pool.Add(file)
    return {name: message_class(pool, f"{package}.{name}") for name in messages}


def message_class(pool, name):
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(name))


def reflection(pool, package):
    return declare(
        pool,
        package,
        {
            "ServerReflectionRequest": [
                (4, "file_containing_symbol", SINGULAR, STRING, None),
                (7, "list_services", SINGULAR, STRING, None),
            ],
            "ServerReflectionResponse": [
                (4, "file_descriptor_response", SINGULAR, MESSAGE, "FileDescriptorResponse"),
                (6, "list_services_response", SINGULAR, MESSAGE, "ListServiceResponse"),
            ],
            "FileDescriptorResponse": [(1, "file_descriptor_proto", REPEATED, BYTES, None)],
            "ListServiceResponse": [(1, "service", REPEATED, MESSAGE, "ServiceResponse")],
            "ServiceResponse": [(1, "name", SINGULAR, STRING, None)],
        },
    )


def reflect(channel, version, **question):
    package = f"grpc.reflection.{version}"
    types = reflection(descriptor_pool.DescriptorPool(), package)
    call = channel.stream_stream(
        f"/{package}.ServerReflection/ServerReflectionInfo",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=types["ServerReflectionResponse"].FromString,
    )
    return next(call(iter([types["ServerReflectionRequest"](**question)]), timeout=SECONDS))


def services(channel, version):
    answer = reflect(channel, version, list_services="*")
    return sorted(service.name for service in answer.list_services_response.service)


def health(channel, service):
    """By Check, and the first answer of Watch."""
    statuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]
    types = declare(
        descriptor_pool.DescriptorPool(),
        "grpc.health.v1",
        {
            "HealthCheckRequest": [(1, "service", SINGULAR, STRING, None)],
            "HealthCheckResponse": [(1, "status", SINGULAR, ENUM, "ServingStatus")],
        },
        {"ServingStatus": statuses},
    )
    codec = {
        "request_serializer": lambda request: request.SerializeToString(),
        "response_deserializer": types["HealthCheckResponse"].FromString,
    }
    request = types["HealthCheckRequest"](service=service)
    checked = channel.unary_unary("/grpc.health.v1.Health/Check", **codec)(request, timeout=SECONDS)
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch", **codec)(request, timeout=SECONDS)
    watched = next(watch)
    watch.cancel()
    return {"check": statuses[checked.status], "watch": statuses[watched.status]}


def files_of(channel, symbol):
    """Every file that describes a symbol, those first that others are built on."""
    answer = reflect(channel, "v1", file_containing_symbol=symbol)
    files = {}
    for data in answer.file_descriptor_response.file_descriptor_proto:
        file = descriptor_pb2.FileDescriptorProto.FromString(data)
        files[file.name] = file
    ordered = []

    def put(name):
        for needed in files[name].dependency:
            put(needed)
        if files[name] not in ordered:
            ordered.append(files[name])

    for name in files:
        put(name)
    return ordered


def call(channel, service, method, request):
    pool = descriptor_pool.DescriptorPool()
    for file in files_of(channel, service):
        pool.Add(file)
    described = pool.FindServiceByName(service).FindMethodByName(method)
    answer = channel.unary_unary(
        f"/{service}/{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_class(pool, described.output_type.full_name).FromString,
    )
    message = json_format.ParseDict(request, message_class(pool, described.input_type.full_name)())
    return json_format.MessageToDict(answer(message, timeout=SECONDS))


def main(address, service, method, request):
    with grpc.insecure_channel(address) as channel:
        seen = {
            "v1": services(channel, "v1"),
            "v1alpha": services(channel, "v1alpha"),
            "health": health(channel, service),
            "answer": call(channel, service, method, json.loads(request)),
        }
    print(json.dumps(seen))


main(*sys.argv[1:])
