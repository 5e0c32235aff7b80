import { defineConfig } from "vitest/config";

// Built into the Python package, where gateway and router serve it under a strict content security policy.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    outDir: "../src/tollbrush/playground",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { host: "127.0.0.1", proxy: { "/v1": "http://127.0.0.1:8402", "/images": "http://127.0.0.1:8402" } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
