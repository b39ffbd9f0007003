import type { DescMessage, DescMethodUnary } from "@bufbuild/protobuf";
import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

/**
 * An act of an operator. Whatever it answers, all that is shown is asked for anew: one act changes figures, lists
 * and stock alike, and a refusal means that something had changed before.
 *
 * @param onDone called when it has been done
 */
export function useAct<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  onDone: () => void,
) {
  const client = useQueryClient();
  return useMutation(method, {
    onSuccess: onDone,
    onSettled: () => void client.invalidateQueries(),
  });
}
