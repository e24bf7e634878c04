-- The database of the account's object of the last build before objects became nodes: it knows `released-staged-tenant.sql`, and tenants of each state.
CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
CREATE TABLE tenants (
        id TEXT PRIMARY KEY,
        generation INTEGER NOT NULL CHECK (generation >= 1),
        state TEXT NOT NULL CHECK (state IN ('active', 'deleting', 'deleted')),
        carried_day INTEGER NOT NULL,
        carried INTEGER NOT NULL CHECK (carried >= 0),
        created_at_ms INTEGER NOT NULL,
        deleted_at_ms INTEGER
      ) STRICT, WITHOUT ROWID;
CREATE TABLE closed_periods (
        tenant TEXT NOT NULL,
        generation INTEGER NOT NULL,
        day INTEGER NOT NULL,
        quota INTEGER NOT NULL CHECK (quota >= 0),
        granted INTEGER NOT NULL CHECK (granted >= 0),
        overage INTEGER NOT NULL CHECK (overage >= 0),
        totals TEXT NOT NULL,
        PRIMARY KEY (tenant, generation, day)
      ) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
        id TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        tenant TEXT,
        request_id TEXT NOT NULL,
        detail TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
CREATE TABLE file_sweeps (
        tenant TEXT NOT NULL,
        generation INTEGER NOT NULL,
        due_at_ms INTEGER NOT NULL,
        last_at_ms INTEGER NOT NULL,
        PRIMARY KEY (tenant, generation)
      ) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    subject TEXT,
    decision TEXT,
    data TEXT,
    CHECK (subject IS NOT NULL OR data IS NOT NULL)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    slot INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 31),
    url TEXT NOT NULL,
    description TEXT,
    events TEXT NOT NULL,
    decisions TEXT,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    disabled_reason TEXT,
    secret TEXT NOT NULL,
    old_secret TEXT,
    old_secret_until_ms INTEGER,
    cursor TEXT NOT NULL,
    replay TEXT,
    failing_since_ms INTEGER,
    not_before_ms INTEGER NOT NULL,
    last_try_at_ms INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL, sent TEXT NOT NULL DEFAULT '[]', ordered INTEGER NOT NULL DEFAULT 0 CHECK (ordered IN (0, 1)), outage TEXT NOT NULL DEFAULT '[]', ahead TEXT NOT NULL DEFAULT '',
    CHECK ((enabled = 1) = (disabled_reason IS NULL)),
    CHECK ((old_secret IS NULL) = (old_secret_until_ms IS NULL))
  ) STRICT, WITHOUT ROWID;
CREATE TABLE deliveries (
    webhook_id TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    first_try_at_ms INTEGER,
    next_try_at_ms INTEGER,
    attempts TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (webhook_id, id),
    CHECK ((state = 'pending') = (next_try_at_ms IS NOT NULL))
  ) STRICT, WITHOUT ROWID;
CREATE TABLE told (
    day INTEGER NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (day, type)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE report_ends (
    tenant TEXT NOT NULL,
    generation INTEGER NOT NULL,
    cleared INTEGER NOT NULL CHECK (cleared IN (0, 1)),
    after_day INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, generation)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE dead_messages (
    day INTEGER PRIMARY KEY,
    messages INTEGER NOT NULL
  ) STRICT;
CREATE TABLE pool_state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    settings TEXT NOT NULL,
    measured_margin INTEGER NOT NULL CHECK (measured_margin >= 0),
    notice INTEGER NOT NULL CHECK (notice >= 0),
    closed_day INTEGER,
    closed_at_ms INTEGER,
    probe_at_ms INTEGER,
    lifted_at_ms INTEGER NOT NULL,
    told_day INTEGER NOT NULL,
    told_threshold REAL NOT NULL
  , relief INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE promises (
    tenant TEXT PRIMARY KEY,
    life INTEGER NOT NULL,
    version INTEGER NOT NULL,
    plan TEXT NOT NULL CHECK (plan IN ('free', 'paid')),
    daily INTEGER NOT NULL CHECK (daily >= 0),
    floor INTEGER NOT NULL CHECK (floor >= 0),
    told INTEGER NOT NULL
  , suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1))) STRICT, WITHOUT ROWID;
CREATE TABLE pool_shares (
    day INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    life INTEGER NOT NULL,
    granted INTEGER NOT NULL CHECK (granted >= 0),
    spent INTEGER NOT NULL CHECK (spent >= 0),
    pending INTEGER NOT NULL CHECK (pending >= 0),
    deadline_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    answer TEXT,
    asked_at_ms INTEGER NOT NULL,
    reported_at_ms INTEGER NOT NULL,
    want INTEGER NOT NULL CHECK (want >= 0),
    refusals INTEGER NOT NULL,
    PRIMARY KEY (day, tenant, life)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE denied_tenants (
    tenant TEXT PRIMARY KEY,
    day INTEGER NOT NULL,
    notice INTEGER NOT NULL,
    is_closed INTEGER NOT NULL CHECK (is_closed IN (0, 1))
  ) STRICT, WITHOUT ROWID;
CREATE TABLE check_passes (
    pass INTEGER PRIMARY KEY,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    tenants INTEGER NOT NULL CHECK (tenants >= 0),
    after_tenant TEXT NOT NULL,
    is_walked INTEGER NOT NULL CHECK (is_walked IN (0, 1)),
    due_at_ms INTEGER NOT NULL,
    sums TEXT NOT NULL
  ) STRICT;
CREATE TABLE check_findings (
    tenant TEXT PRIMARY KEY,
    pass INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('broken', 'unfinished', 'unanswered')),
    tries INTEGER NOT NULL CHECK (tries >= 1),
    again_at_ms INTEGER,
    at_ms INTEGER NOT NULL,
    checked_to_ms INTEGER,
    counts TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE TABLE rate_bounds (
    slot INTEGER PRIMARY KEY,
    period INTEGER NOT NULL,
    units TEXT NOT NULL
  ) STRICT;
CREATE INDEX deliveries_due ON deliveries (webhook_id, next_try_at_ms)
    WHERE state = 'pending';
CREATE INDEX deliveries_failed ON deliveries (webhook_id) WHERE state = 'failed';
CREATE INDEX tenants_state ON tenants (state);
CREATE INDEX file_sweeps_due ON file_sweeps (due_at_ms);
CREATE INDEX report_ends_due ON report_ends (due_at_ms);
CREATE INDEX audit_tenant ON audit (tenant, id);
CREATE INDEX check_findings_again ON check_findings (again_at_ms)
    WHERE again_at_ms IS NOT NULL;
CREATE INDEX promises_kind ON promises (plan, suspended);
INSERT INTO schema_version (version) VALUES (14);
INSERT INTO tenants (id, generation, state, carried_day, carried, created_at_ms, deleted_at_ms) VALUES ('released', 1, 'active', 0, 0, 2107346607412, NULL);
INSERT INTO tenants (id, generation, state, carried_day, carried, created_at_ms, deleted_at_ms) VALUES ('released-ended', 1, 'deleted', 24430, 12641460, 2107346607412, 2110802619412);
INSERT INTO tenants (id, generation, state, carried_day, carried, created_at_ms, deleted_at_ms) VALUES ('released-ending', 1, 'deleting', 0, 0, 2107346607412, NULL);
INSERT INTO tenants (id, generation, state, carried_day, carried, created_at_ms, deleted_at_ms) VALUES ('released-hungry', 1, 'active', 0, 0, 2107346607412, NULL);
INSERT INTO tenants (id, generation, state, carried_day, carried, created_at_ms, deleted_at_ms) VALUES ('released-paid', 1, 'active', 0, 0, 2107346607412, NULL);
INSERT INTO tenants (id, generation, state, carried_day, carried, created_at_ms, deleted_at_ms) VALUES ('released-suspended', 1, 'active', 0, 0, 2107346607412, NULL);
INSERT INTO closed_periods (tenant, generation, day, quota, granted, overage, totals) VALUES ('released-ended', 1, 24430, 12641460, 0, 0, '{"calls":1,"overrun":0,"models":{"embedded|neurogate/tier0@1|@cf/huggingface/distilbert-sst-2-int8":{"model":"neurogate/tier0@1","engine":"embedded","pricedAs":"@cf/huggingface/distilbert-sst-2-int8","task":"text_classification","engineRequests":1,"failed":0,"units":{"input_token":11},"microNeurons":26334,"estimated":26334,"held":0},"embedded|neurogate/tier0@1|@cf/meta/llama-3.1-8b-instruct-fp8":{"model":"neurogate/tier0@1","engine":"embedded","pricedAs":"@cf/meta/llama-3.1-8b-instruct-fp8","task":"text_generation","engineRequests":1,"failed":0,"units":{"input_token":707,"output_token":110},"microNeurons":12615126,"estimated":12615126,"held":0}},"overageByRate":{},"refused":{},"verdicts":{"made":1,"micro_neurons":12641460}}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XAKTAQ9M3RPBC648NVP94CDP', 2107346607412, 'admin_token', 'POST /admin/tenants/{tenant}/keys', 'released-hungry', 'req_01XAKTAQ9MM17ZP0FR3BHKHR4T', '{"key":"key_01XAKTAQ9MYFPDNAC97EXCE9Q8","role":"manage"}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XAKTAQ9M3T4F6R45A5KGNRFW', 2107346607412, 'admin_token', 'POST /admin/tenants/{tenant}/keys', 'released', 'req_01XAKTAQ9M7GY0SQS7HV6WRQNF', '{"key":"key_01XAKTAQ9M246PAQWAVJGNF6ZJ","role":"manage"}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XAKTAQ9M59TK2WYR827AB49T', 2107346607412, 'admin_token', 'PUT /admin/tenants/{tenant}', 'released-hungry', 'req_01XAKTAQ9MF92BGNTE0W17G5Q7', '{"created":true,"version":1}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XAKTAQ9M9DQK5D8RQY09ZV0T', 2107346607412, 'admin_token', 'PUT /admin/tenants/{tenant}', 'released-paid', 'req_01XAKTAQ9MY0HNACGSKK0K2KFH', '{"created":true,"version":1}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XAKTAQ9MCHH69NCYAJM7NEP7', 2107346607412, 'admin_token', 'POST /admin/tenants/{tenant}/keys', 'released-paid', 'req_01XAKTAQ9M9JFFP7ET2WH2RSJ1', '{"key":"key_01XAKTAQ9M91NQY77YJPTB39WH","role":"manage"}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XAKTAQ9MFMT306A9WYTHZR2X', 2107346607412, 'admin_token', 'PUT /admin/tenants/{tenant}', 'released', 'req_01XAKTAQ9MAMZ9KSJRVQN5MN48', '{"created":true,"version":1}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XAKTAQ9MRR1QD09H260SKG7C', 2107346607412, 'admin_token', 'PUT /admin/tenants/{tenant}', 'released-ended', 'req_01XAKTAQ9MQ56AYEQJZHHPT2VE', '{"created":true,"version":1}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XAKTAQ9MT1R36Y77G6XQ7JBG', 2107346607412, 'admin_token', 'POST /admin/tenants/{tenant}/keys', 'released-ending', 'req_01XAKTAQ9MS8R1P37J111A4450', '{"key":"key_01XAKTAQ9M4NGC20M34S6VD448","role":"manage"}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XAKTAQ9MTJEWZ47J6RSN91N4', 2107346607412, 'admin_token', 'PUT /admin/tenants/{tenant}', 'released-ending', 'req_01XAKTAQ9MRRXMQR7489Y69DXE', '{"created":true,"version":1}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XAKTAQ9MV4PTGQ3ZMAM8D7A7', 2107346607412, 'admin_token', 'POST /admin/tenants/{tenant}/keys', 'released-ended', 'req_01XAKTAQ9MC5AW3XR2F4087BND', '{"key":"key_01XAKTAQ9MD64H7F3HM56G61BR","role":"manage"}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XAKTAQ9MWPSJE6YYR7QCSPA6', 2107346607412, 'admin_token', 'PUT /admin/tenants/{tenant}', 'released-suspended', 'req_01XAKTAQ9M4KJS64679Z8SRMRP', '{"created":true,"version":1}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7F9M22Y5V606XPGAKFTF', 2110802607412, 'admin_token', 'POST /admin/tenants/{tenant}/adjustments', 'released', 'req_01XDTT7F9MX1AVHDTV4RCP8FBZ', '{"adjustment":"jnl_01XDTT7F9MQ70567GADHGMC8DW","adjusts":"jnl_01XDTT7F9M4QT4NWS6AR7KQZHR","micro_neurons":-1000,"reason":"contested"}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7F9M3ARP2JXX3AVQQ7HR', 2110802607412, 'admin_token', 'POST /admin/account/reopen', NULL, 'req_01XDTT7F9MMTFFJRYM9V0YVW8M', '{"tenants":1}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7F9MECSBC669S32111NT', 2110802607412, 'admin_token', 'POST /admin/tenants/{tenant}/grants', 'released', 'req_01XDTT7F9MBF4H6FG0AB97133A', '{"grant":"grt_01XDTT7F9M04EH1Z09KEZQVQT2","micro_neurons":5000000,"reason":"a gift"}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7F9MJWKAXTD0WYGPJRRH', 2110802607412, 'admin_token', 'POST /admin/webhooks/{id}/test', NULL, 'req_01XDTT7F9M7WF9P95SXM2BZZ32', '{"webhook":"whk_01XDTT7F9M4NSXNZFW1N6ZQF11"}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7F9MNPBTNJFJVBNH585V', 2110802607412, 'admin_token', 'POST /admin/webhooks', NULL, 'req_01XDTT7F9M4XS6JPS82W6ZR9GD', '{"webhook":"whk_01XDTT7F9MTZTZ36KRHYF1XZ5E"}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7F9MV6EMRC0NFV8HJE32', 2110802607412, 'admin_token', 'POST /admin/webhooks/{id}/test', NULL, 'req_01XDTT7F9MSGBRAN0SJ2M42EFQ', '{"webhook":"whk_01XDTT7F9MTZTZ36KRHYF1XZ5E"}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7F9MY45JY2WCZC7B5FKR', 2110802607412, 'admin_token', 'POST /admin/webhooks', NULL, 'req_01XDTT7F9MA085V8W72RDMG3NP', '{"webhook":"whk_01XDTT7F9M4NSXNZFW1N6ZQF11"}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7S248AJMYMGBVTTP9Z9Q', 2110802617412, 'admin_token', 'PATCH /admin/tenants/{tenant}', 'released', 'req_01XDTT7S24BCBBW8W3RBPNMJXQ', '{"fields":["daily_neurons"],"version":2}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7V0M1FV5YE23WCFGSZ5F', 2110802619412, 'admin_token', 'PATCH /admin/account', NULL, 'req_01XDTT7V0MR8TSVMCP2JGY0G26', '{"fields":["daily_cap_neurons","rpm","max_hold_share"]}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7V0M73FGT9908FHRKDJZ', 2110802619412, 'admin_token', 'PATCH /admin/tenants/{tenant}', 'released', 'req_01XDTT7V0MY5W7VDXB42KCFD0D', '{"fields":["daily_neurons"],"version":4}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7V0MHRT7E67YDCK2CPN8', 2110802619412, 'admin_token', 'PATCH /admin/tenants/{tenant}', 'released', 'req_01XDTT7V0MD3PV79WC3FTX05YV', '{"fields":["daily_neurons"],"version":3}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7V0MPXTKVYG1Z33K3QWQ', 2110802619412, 'admin_token', 'DELETE /admin/tenants/{tenant}', 'released-ended', 'req_01XDTT7V0M584J2MKFNNYZ4JAB', '{}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7V0MSXCNK5VHK1C4GEKV', 2110802619412, 'admin_token', 'PUT /admin/state', NULL, 'req_01XDTT7V0MPWRXFJVB8FS3DT3K', '{"act":"store_part","apply":"waiting","part":1,"parts":2,"tenants":2}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7V0MTZA0CYKJ1TB5217G', 2110802619412, 'admin_token', 'POST /admin/account/reopen', NULL, 'req_01XDTT7V0M6462DE6N7JHT0362', '{"tenants":1}');
INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail) VALUES ('evt_01XDTT7V0MY02Z0EHPCJ9HZAXP', 2110802619412, 'admin_token', 'PATCH /admin/account', NULL, 'req_01XDTT7V0MPZ9VFGBDDST9ZE7Y', '{"fields":["daily_cap_neurons","max_hold_share"]}');
INSERT INTO file_sweeps (tenant, generation, due_at_ms, last_at_ms) VALUES ('released-ended', 1, 2110802799412, 2110802799412);
INSERT INTO events (id, type, created_at_ms, subject, decision, data) VALUES ('evt_01XDTT7F9M5P1JW613ENSMNR80', 'webhook.test', 2110802607412, NULL, NULL, '{"id":"whk_01XDTT7F9M4NSXNZFW1N6ZQF11","object":"webhook","url":"https://ops.platform.dev/","description":null,"events":["quota.threshold","quota.exceeded","account.threshold"],"decisions":null,"enabled":true,"disabled_reason":null,"ordered":false,"blocked_by":null,"failing_since":null,"down":false,"old_secret_expires_at":null,"replaying":false,"created_at":"2036-11-20T14:03:27.412Z","updated_at":"2036-11-20T14:03:27.412Z"}');
INSERT INTO events (id, type, created_at_ms, subject, decision, data) VALUES ('evt_01XDTT7F9M5P1JW613ENSMNR90', 'webhook.test', 2110802607412, NULL, NULL, '{"id":"whk_01XDTT7F9MTZTZ36KRHYF1XZ5E","object":"webhook","url":"https://down.platform.dev/","description":null,"events":["quota.threshold","quota.exceeded","account.threshold"],"decisions":null,"enabled":true,"disabled_reason":null,"ordered":false,"blocked_by":null,"failing_since":null,"down":false,"old_secret_expires_at":null,"replaying":false,"created_at":"2036-11-20T14:03:27.412Z","updated_at":"2036-11-20T14:03:27.412Z"}');
INSERT INTO events (id, type, created_at_ms, subject, decision, data) VALUES ('evt_01XDTT7V0MSFQ0BF0BT2WFWKD0', 'quota.threshold', 2110802619412, NULL, NULL, '{"object":"limits","tenant":"released","plan":"free","day":"2036-11-20","resets_at":"2036-11-21T00:00:00.000Z","limit_micro_neurons":112000000,"posted_micro_neurons":106742799,"pending_micro_neurons":0,"available_micro_neurons":5257201,"month":{"month":"2036-11","resets_at":"2036-12-01T00:00:00.000Z","limit_micro_neurons":null,"posted_micro_neurons":106742799,"pending_micro_neurons":0,"available_micro_neurons":null},"grants":[{"id":"grt_01XDTT7F9M04EH1Z09KEZQVQT2","remaining_micro_neurons":5000000,"expires_at":"2037-02-18T14:03:27.412Z"}],"overage":{"micro_neurons":0,"cap_neurons":null},"rates":[{"name":"requests","limit":300,"remaining":293,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"test_inputs","limit":60,"remaining":59,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_generation","limit":300,"remaining":295,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_classification","limit":2000,"remaining":1996,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_embeddings","limit":3000,"remaining":3000,"resets_at":null},{"name":"image_classification","limit":3000,"remaining":2999,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"object_detection","limit":3000,"remaining":3000,"resets_at":null},{"name":"image_to_text","limit":720,"remaining":720,"resets_at":null},{"name":"text_to_image","limit":720,"remaining":719,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"speech_to_text","limit":720,"remaining":720,"resets_at":null},{"name":"text_to_speech","limit":300,"remaining":300,"resets_at":null},{"name":"translation","limit":720,"remaining":720,"resets_at":null},{"name":"summarization","limit":1500,"remaining":1500,"resets_at":null},{"name":"other","limit":300,"remaining":300,"resets_at":null}],"in_flight":{"limit":50,"used":0},"account_closed":false,"threshold":0.8}');
INSERT INTO webhooks (id, slot, url, description, events, decisions, enabled, disabled_reason, secret, old_secret, old_secret_until_ms, cursor, replay, failing_since_ms, not_before_ms, last_try_at_ms, created_at_ms, updated_at_ms, sent, ordered, outage, ahead) VALUES ('whk_01XDTT7F9M4NSXNZFW1N6ZQF11', 1, 'https://ops.platform.dev/', NULL, '["quota.threshold","quota.exceeded","account.threshold"]', NULL, 1, NULL, 'whsec_2olgPHD08o8UKgC1VaP5gIZ/YMIczQ8++oLVXmTmgnE=', NULL, NULL, 'evt_01XDTT7V0MSFQ0BF0BT2WFWKD0', NULL, NULL, 0, 2110802619412, 2110802607412, 2110802607412, '[21108026074,1,120,1]', 0, '[]', '');
INSERT INTO webhooks (id, slot, url, description, events, decisions, enabled, disabled_reason, secret, old_secret, old_secret_until_ms, cursor, replay, failing_since_ms, not_before_ms, last_try_at_ms, created_at_ms, updated_at_ms, sent, ordered, outage, ahead) VALUES ('whk_01XDTT7F9MTZTZ36KRHYF1XZ5E', 2, 'https://down.platform.dev/', NULL, '["quota.threshold","quota.exceeded","account.threshold"]', NULL, 1, NULL, 'whsec_D0ChxtB8cNMKvmFqafiZv3VwzkqlpYgP+2FMGB/2JPA=', NULL, NULL, 'evt_01XDTT7V0MSFQ0BF0BT2WFWKD0', NULL, 2110802619412, 0, 2110802619412, 2110802607412, 2110802607412, '[21108026074,1,120,1]', 0, '["evt_01XDTT7V0MSFQ0BF0BT2WFWKD0"]', '');
INSERT INTO deliveries (webhook_id, id, state, first_try_at_ms, next_try_at_ms, attempts, tries) VALUES ('whk_01XDTT7F9M4NSXNZFW1N6ZQF11', 'dlv_01XDTT7F9M5P1JW613ENSMNR81', 'delivered', 2110802607412, NULL, '[[2110802607412,204,null,0]]', 1);
INSERT INTO deliveries (webhook_id, id, state, first_try_at_ms, next_try_at_ms, attempts, tries) VALUES ('whk_01XDTT7F9M4NSXNZFW1N6ZQF11', 'dlv_01XDTT7V0MSFQ0BF0BT2WFWKD1', 'delivered', 2110802619412, NULL, '[[2110802619412,204,null,0]]', 1);
INSERT INTO deliveries (webhook_id, id, state, first_try_at_ms, next_try_at_ms, attempts, tries) VALUES ('whk_01XDTT7F9MTZTZ36KRHYF1XZ5E', 'dlv_01XDTT7F9M5P1JW613ENSMNR92', 'failed', 2110802607412, NULL, '[[2110802607412,500,"http_status",0]]', 1);
INSERT INTO deliveries (webhook_id, id, state, first_try_at_ms, next_try_at_ms, attempts, tries) VALUES ('whk_01XDTT7F9MTZTZ36KRHYF1XZ5E', 'dlv_01XDTT7V0MSFQ0BF0BT2WFWKD2', 'pending', 2110802619412, 2110802624785, '[[2110802619412,500,"http_status",0]]', 1);
INSERT INTO report_ends (tenant, generation, cleared, after_day, due_at_ms) VALUES ('released-ended', 1, 0, -1, 2110802629412);
INSERT INTO dead_messages (day, messages) VALUES (24430, 3);
INSERT INTO pool_state (only_row, settings, measured_margin, notice, closed_day, closed_at_ms, probe_at_ms, lifted_at_ms, told_day, told_threshold, relief) VALUES (1, '{"daily_cap_neurons":9000,"monthly_cap_usd":null,"rpm":{"text_generation":5000},"safety_margin_neurons":0,"thresholds":[0.8,0.95],"max_hold_share":0.5,"max_unspent_share":0.333}', 1000, 6, NULL, NULL, NULL, 2110802619412, 0, 0, 6);
INSERT INTO promises (tenant, life, version, plan, daily, floor, told, suspended) VALUES ('released', 1, 4, 'free', 2000000000, 10000000, 0, 0);
INSERT INTO promises (tenant, life, version, plan, daily, floor, told, suspended) VALUES ('released-ending', 1, 1, 'free', 100000000, 0, 0, 0);
INSERT INTO promises (tenant, life, version, plan, daily, floor, told, suspended) VALUES ('released-hungry', 1, 1, 'free', 100000000, 0, 0, 0);
INSERT INTO promises (tenant, life, version, plan, daily, floor, told, suspended) VALUES ('released-paid', 1, 1, 'paid', 500000000, 0, 0, 0);
INSERT INTO promises (tenant, life, version, plan, daily, floor, told, suspended) VALUES ('released-suspended', 1, 1, 'free', 100000000, 0, 0, 1);
INSERT INTO pool_shares (day, tenant, life, granted, spent, pending, deadline_ms, seq, answer, asked_at_ms, reported_at_ms, want, refusals) VALUES (24390, 'released', 1, 110000000, 0, 0, 2107346907412, 1, '{"seq":1,"granted":110000000,"deadlineMs":2107346907412,"refused":null}', 2107346607412, 2107346607412, 2000000000, 0);
INSERT INTO pool_shares (day, tenant, life, granted, spent, pending, deadline_ms, seq, answer, asked_at_ms, reported_at_ms, want, refusals) VALUES (24430, 'released', 1, 210000000, 93105575, 0, 2110802907412, 2, '{"seq":2,"granted":210000000,"deadlineMs":2110802907412,"refused":null}', 2110802607412, 2110802607412, 1890000000, 0);
INSERT INTO pool_shares (day, tenant, life, granted, spent, pending, deadline_ms, seq, answer, asked_at_ms, reported_at_ms, want, refusals) VALUES (24430, 'released-ended', 1, 12641460, 12641460, 0, 2110802919412, 1, '{"seq":1,"granted":100000000,"deadlineMs":2110802919412,"refused":null}', 2110802619412, 2110802619412, 0, 0);
INSERT INTO pool_shares (day, tenant, life, granted, spent, pending, deadline_ms, seq, answer, asked_at_ms, reported_at_ms, want, refusals) VALUES (24430, 'released-ending', 1, 100000000, 0, 0, 2110802919412, 1, '{"seq":1,"granted":100000000,"deadlineMs":2110802919412,"refused":null}', 2110802619412, 2110802619412, 100000000, 0);
INSERT INTO pool_shares (day, tenant, life, granted, spent, pending, deadline_ms, seq, answer, asked_at_ms, reported_at_ms, want, refusals) VALUES (24430, 'released-hungry', 1, 58382080, 0, 0, 2110802907412, 1, '{"seq":1,"granted":58382080,"deadlineMs":2110802907412,"refused":null}', 2110802607412, 2110802607412, 58382080, 0);
INSERT INTO pool_shares (day, tenant, life, granted, spent, pending, deadline_ms, seq, answer, asked_at_ms, reported_at_ms, want, refusals) VALUES (24430, 'released-paid', 1, 100000000, 0, 0, 2110802919412, 1, '{"seq":1,"granted":100000000,"deadlineMs":2110802919412,"refused":null}', 2110802619412, 2110802619412, 4258314240, 0);
INSERT INTO denied_tenants (tenant, day, notice, is_closed) VALUES ('released-hungry', 24430, 5, 1);
INSERT INTO check_passes (pass, started_at_ms, ended_at_ms, tenants, after_tenant, is_walked, due_at_ms, sums) VALUES (1, 2110802619412, 2110802619412, 6, 'released-suspended', 1, 2110802622412, '{"checked":6,"found":{"broken":1,"unfinished":0,"unanswered":0},"counts":[{"number":1,"name":"admitted_within_limit","checked":null,"violations":2},{"number":2,"name":"every_call_ends_in_one_line","checked":1,"violations":0},{"number":3,"name":"lines_sum_to_posted","checked":11,"violations":0},{"number":4,"name":"rate_within_limit","checked":null,"violations":0},{"number":5,"name":"charged_within_hold","checked":11,"violations":0},{"number":6,"name":"verdict_stored_with_its_line","checked":8,"violations":0},{"number":7,"name":"approved_only_when_checked","checked":8,"violations":0}],"deliveries":{"waiting":0,"failed":0}}');
INSERT INTO check_findings (tenant, pass, kind, tries, again_at_ms, at_ms, checked_to_ms, counts) VALUES ('released', 1, 'broken', 1, NULL, 2110802619412, NULL, '[{"number":1,"name":"admitted_within_limit","checked":null,"violations":2},{"number":2,"name":"every_call_ends_in_one_line","checked":1,"violations":0},{"number":3,"name":"lines_sum_to_posted","checked":7,"violations":0},{"number":4,"name":"rate_within_limit","checked":null,"violations":0},{"number":5,"name":"charged_within_hold","checked":7,"violations":0},{"number":6,"name":"verdict_stored_with_its_line","checked":5,"violations":0},{"number":7,"name":"approved_only_when_checked","checked":5,"violations":0}]');
INSERT INTO rate_bounds (slot, period, units) VALUES (9, 422160521, '{"image_classification":2,"text_classification":6,"text_generation":6,"text_to_image":2}');
INSERT INTO rate_bounds (slot, period, units) VALUES (11, 422160523, '{"text_classification":14,"text_generation":6,"image_classification":6}');
