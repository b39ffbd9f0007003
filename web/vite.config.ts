import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** The gateway that pages in development talk to. */
const GATEWAY = `http://127.0.0.1:${process.env.GATEWAY_PORT ?? 8080}`;

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), withoutJson()],
  resolve: {
    alias: {
      "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js": fileOf("./src/api/no-validate.ts"),
    },
  },
  build: {
    target: "es2023",
    // Whatever is loaded is a file of this origin: the gateway's policy lets nothing else in.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
  },
  server: { port: 5173, proxy: { "^/boxoffice\\.": GATEWAY } },
});

/** See src/api/no-json.ts. */
function withoutJson(): Plugin {
  return {
    name: "without-json",
    apply: "build",
    enforce: "pre",
    resolveId: (source) =>
      /\/(from|to)-json\.js$/.test(source) ? fileOf("./src/api/no-json.ts") : undefined,
  };
}

function fileOf(path: string): string {
  return fileURLToPath(import.meta.resolve(path));
}
