// Builds the pages' scripts into ../static/dist; the server finds them by the manifest.
import { defineConfig } from "vite";

export default defineConfig({
  base: "/static/dist/",
  build: {
    outDir: "../static/dist",
    emptyOutDir: true,
    manifest: true,
    modulePreload: { polyfill: false },
    license: { fileName: "THIRD_PARTY_LICENSES.md" },
    target: ["chrome86", "firefox91"],
    rollupOptions: { input: { desk: "src/desk.tsx", inbox: "src/inbox.tsx", trends: "src/trends.ts" } },
  },
});
