import type { DescService } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";

/** A service of the contract with what answers its calls, ready to be mounted. */
export type RpcService = {
  readonly desc: DescService;
  /** By the method's `localName`; one that is missing answers UNIMPLEMENTED. */
  readonly impl: Readonly<Record<string, AnyMethod | undefined>>;
};

/** A method of {@link ServiceImpl}, whatever its messages. */
export type AnyMethod = (input: never, context: HandlerContext) => unknown;

/** Pairs a service with its implementation, which the compiler checks against the contract. */
export function service<Service extends DescService>(
  desc: Service,
  impl: Partial<ServiceImpl<Service>>,
): RpcService {
  return { desc, impl: impl as RpcService["impl"] };
}
