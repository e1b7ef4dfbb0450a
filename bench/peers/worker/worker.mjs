// The metered call as a Worker: the key is looked up in KV, the count is read and upserted in D1.
// Left out, in its favour: rate limits and caches rewritten in KV at every call, and a second look-up of the platform.

const tiers = new Map(); // remembered by the isolate, as a configuration loader with a cache does

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/constant") return Response.json({ allowed: true });
    if (pathname === "/stored") return Response.json(await stored(env));
    return count(request, env);
  },
};

async function count(request, env) {
  const platform = await platformOf(request.headers.get("Authorization") ?? "", env);
  if (platform === null) return Response.json({ error: "Unknown key" }, { status: 401 });
  const user = request.headers.get("X-User-Id");
  const plan = request.headers.get("X-User-Plan");
  const limit = (await limitsOf(platform, env))[plan];
  const [start, end] = month(new Date());

  const row = await env.DB.prepare(
    "SELECT usageCount FROM usage_counts WHERE platformId = ? AND userId = ? AND periodStart = ?",
  )
    .bind(platform, user, start)
    .first();
  if ((row?.usageCount ?? 0) >= limit) {
    return Response.json({ error: "Tier limit reached", usage: { count: row.usageCount, limit } }, { status: 429 });
  }
  const { usageCount } = await env.DB.prepare(
    `INSERT INTO usage_counts (platformId, userId, plan, periodStart, periodEnd, usageCount, updatedAt)
     VALUES (?, ?, ?, ?, ?, 1, CURRENT_TIMESTAMP)
     ON CONFLICT DO UPDATE SET usageCount = usageCount + 1, plan = excluded.plan, updatedAt = excluded.updatedAt
     RETURNING usageCount`,
  )
    .bind(platform, user, plan, start, end)
    .first();
  return Response.json({ allowed: true, usage: { count: usageCount, limit, remaining: limit - usageCount } });
}

async function platformOf(authorization, env) {
  const token = new TextEncoder().encode(authorization.replace(/^Bearer /, ""));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", token));
  const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return env.TOKENS_KV.get(`secretkey:${hash}:platformId`);
}

async function limitsOf(platform, env) {
  if (!tiers.has(platform)) tiers.set(platform, await env.TOKENS_KV.get(`platform:${platform}:tierConfig`, "json"));
  return tiers.get(platform);
}

function month(now) {
  const first = (months) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1)).toISOString();
  return [first(0), first(1)];
}

async function stored(env) {
  return (await env.DB.prepare("SELECT coalesce(sum(usageCount), 0) AS total FROM usage_counts").first()).total;
}
