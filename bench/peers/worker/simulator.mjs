// Serves worker.mjs by workerd, with KV and D1 kept in a folder; SIGTERM ends both.

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";

const { PORT, FOLDER, KEY, LIMITS } = process.env;
const platform = "plt_bench";

const simulator = new Miniflare({
  host: "127.0.0.1",
  port: Number(PORT),
  cf: false, // nothing is fetched from outside
  modules: true,
  scriptPath: fileURLToPath(new URL("worker.mjs", import.meta.url)),
  compatibilityDate: "2026-04-01",
  kvNamespaces: ["TOKENS_KV"],
  kvPersist: `${FOLDER}/kv`,
  d1Databases: ["DB"],
  d1Persist: `${FOLDER}/d1`,
});

const keys = await simulator.getKVNamespace("TOKENS_KV");
const hash = createHash("sha256").update(KEY).digest("hex");
await keys.put(`secretkey:${hash}:platformId`, platform);
await keys.put(`platform:${platform}:tierConfig`, LIMITS);
const database = await simulator.getD1Database("DB");
await database.exec(
  "CREATE TABLE usage_counts (platformId TEXT, userId TEXT, plan TEXT, periodStart TEXT, periodEnd TEXT, " +
    "usageCount INTEGER, updatedAt TEXT, PRIMARY KEY (platformId, userId, periodStart))",
);

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, async () => {
    await simulator.dispose();
    process.exit(0);
  });
}
