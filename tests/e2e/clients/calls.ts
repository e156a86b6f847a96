// What a program does with the types that openapi-typescript makes of our document, through openapi-fetch.
// Arguments: address and token. `schema.d.ts` is generated before; see `test_clients.py`.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];

// Fails to compile unless the value is of exactly this type: no union, no `any`.
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function exactly<Expected>() {
  return <Given>(value: Given, _same: Same<Given, Expected>): Given => value;
}

const [url, token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });

async function readProjects(): Promise<Schemas["Project"]> {
  const { data, response } = await client.GET("/api/projects");
  assert.equal(response.status, 200);
  const first = exactly<Schemas["ProjectList"] | undefined>()(data, true)?.projects[0];
  assert.ok(first);
  const one = await client.GET("/api/projects/{project_id}", { params: { path: { project_id: first.id } } });
  assert.deepEqual(exactly<Schemas["Project"] | undefined>()(one.data, true), first);
  return first;
}

async function readAccounts(projectId: string): Promise<Schemas["Account"]> {
  const path = { project_id: projectId };
  const page = await client.GET("/api/projects/{project_id}/accounts", {
    params: { path, query: { limit: 2, sort: "views", growth: true } },
  });
  const first = exactly<Schemas["AccountList"] | undefined>()(page.data, true)?.accounts[0];
  assert.ok(first && page.data?.next_cursor);
  const detail = await client.GET("/api/accounts/{account_id}", { params: { path: { account_id: first.id } } });
  assert.equal(exactly<Schemas["AccountDetail"] | undefined>()(detail.data, true)?.views, first.views);
  const why = await client.GET("/api/accounts/{account_id}/explain", { params: { path: { account_id: first.id } } });
  assert.equal(exactly<Schemas["Explanation"] | undefined>()(why.data, true)?.views.value, first.views);
  return first;
}

async function readNumbers(projectId: string): Promise<void> {
  const path = { project_id: projectId };
  const { data } = await client.GET("/api/projects/{project_id}/analytics", { params: { path } });
  const analytics = exactly<Schemas["Analytics"] | undefined>()(data, true);
  assert.ok(analytics);
  const profiles = Object.values(analytics.platform_stats).map((group) => group.profiles);
  assert.equal(profiles.reduce((sum, one) => sum + one, 0), analytics.total_profiles);
  const totals = await client.GET("/api/totals", { params: { query: { group_by: "platform" } } });
  assert.ok(exactly<Schemas["Totals"] | undefined>()(totals.data, true)?.groups.length);
  const table = await client.GET("/api/projects/{project_id}/analytics.csv", { params: { path }, parseAs: "text" });
  assert.match(exactly<string | undefined>()(table.data, true) ?? "", /^\ufeff?date,/);
}

async function trigger(projectId: string): Promise<string> {
  const everything = await client.POST("/api/admin/smart_sync");
  assert.equal(everything.response.status, 200);
  assert.ok(exactly<Schemas["RunReport"] | undefined>()(everything.data, true)?.results?.[0]?.project_name);
  const one = await client.POST("/api/admin/smart_sync", {
    params: { query: { project_id: projectId, dry_run: true } },
  });
  assert.equal(one.data?.project_id, projectId);
  const later = await client.POST("/api/admin/smart_sync", { params: { query: { async: true } } });
  assert.equal(later.response.status, 202);
  assert.ok(later.response.headers.get("Location")?.endsWith(later.data?.run_id ?? "none"));
  return everything.data?.run_id ?? "none";
}

async function readRuns(runId: string): Promise<void> {
  const runs = await client.GET("/api/admin/runs", { params: { query: { limit: 1 } } });
  assert.ok(exactly<Schemas["RunList"] | undefined>()(runs.data, true)?.next_before);
  const run = await client.GET("/api/admin/runs/{run_id}", { params: { path: { run_id: runId } } });
  const result = exactly<Schemas["RunDetail"] | undefined>()(run.data, true)?.results[0];
  assert.ok(result);
  const service = await client.GET("/api/admin/sync_status");
  assert.ok(service.data && "storage" in service.data && service.data.storage.kind === "sqlite");
  const one = await client.GET("/api/admin/sync_status", { params: { query: { project_id: result.project_id } } });
  assert.ok(one.data && "isSyncing" in one.data && one.data.project_name === result.project_name);
}

async function deliver(account: Schemas["Account"]): Promise<void> {
  const known = { account_id: account.id, views: 1, observed_at: "2020-01-01T00:00:00Z" };
  const readings = [known, { profile_url: "https://x.com/nobody_here", views: 1 }];
  const kept = await client.POST("/api/admin/readings", { body: { readings } });
  assert.equal(exactly<Schemas["ReadingsAnswer"] | undefined>()(kept.data, true)?.unmatched[0]?.index, 1);
  const refused = await client.POST("/api/admin/readings", { body: { readings: [{ views: -1 }] } });
  assert.equal(refused.response.status, 422);
  assert.equal(exactly<Schemas["Problem"] | undefined>()(refused.error, true)?.code, "invalid_parameter");
}

async function beRefused(): Promise<void> {
  const missing = await client.GET("/api/projects/{project_id}", { params: { path: { project_id: "none" } } });
  assert.equal(missing.response.status, 404);
  assert.equal(exactly<Schemas["Problem"] | undefined>()(missing.error, true)?.code, "project_not_found");
  const stranger = await createClient<paths>({ baseUrl: url }).GET("/api/projects");
  assert.equal(stranger.response.status, 401);
  assert.equal(exactly<Schemas["Problem"] | undefined>()(stranger.error, true)?.code, "unauthorized");
}

const project = await readProjects();
const account = await readAccounts(project.id);
await readNumbers(project.id);
await readRuns(await trigger(project.id));
await deliver(account);
await beRefused();
