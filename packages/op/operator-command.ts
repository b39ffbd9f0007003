import type { DescMessage, JsonValue, MessageShape } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { describeFailure, EXIT, type Exit, toFailure } from "./failure.ts";
import { Services } from "./services.ts";
import type { Terminal } from "./terminal.ts";

/** What a command found out: once for programs, once for people. */
export type Answer = {
  json: JsonValue;
  /** Without a newline at its end. */
  text: string;
  /** `EXIT.done` unless something is not as it should be. */
  exit?: Exit;
};

/** A command that asks the box office. It has `--json`; its action is made by {@link answering}. */
export function operatorCommand(name: string): Command {
  return new Command(name).option("--json", "print JSON, for programs");
}

/**
 * The action of an {@link operatorCommand}: calls services, prints the answer, and sets the exit code. `work` gets
 * the command's arguments and then its options.
 */
export function answering<Args extends unknown[]>(
  terminal: Terminal,
  work: (services: Services, ...args: Args) => Promise<Answer>,
): (...args: [...Args, Command]) => Promise<void> {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const asJson = command.opts<{ json?: true }>().json === true;
    const services = new Services(terminal.env);
    try {
      const { json, text, exit = EXIT.done } = await work(services, ...(all.slice(0, -1) as Args));
      terminal.out(`${asJson ? JSON.stringify(json, undefined, 2) : text}\n`);
      terminal.end(exit);
    } catch (thrown) {
      const failure = toFailure(thrown);
      const { exit, ...error } = failure;
      terminal.err(`${asJson ? JSON.stringify({ error }) : describeFailure(failure)}\n`);
      terminal.end(exit);
    } finally {
      services.close();
    }
  };
}

/** A message of the contract as its JSON API writes it, with what is 0, false or empty. */
export function jsonOf<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): JsonValue {
  return toJson(desc, message, { alwaysEmitImplicit: true });
}
