-- The database of the object of applies of the last build before objects became nodes: a plan that has ended, and parts that wait for the last.
CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
CREATE TABLE applies (
        number INTEGER PRIMARY KEY,
        id TEXT UNIQUE,
        state TEXT NOT NULL,
        parts INTEGER NOT NULL CHECK (parts >= 1),
        prune INTEGER NOT NULL CHECK (prune IN (0, 1)),
        dry_run INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
        stored_parts INTEGER NOT NULL CHECK (stored_parts <= parts),
        named INTEGER NOT NULL CHECK (named >= 0),
        others INTEGER NOT NULL CHECK (others >= 0),
        pruned_to TEXT,
        counts TEXT NOT NULL,
        change TEXT NOT NULL,
        warnings TEXT NOT NULL,
        actor TEXT NOT NULL,
        request_id TEXT NOT NULL,
        begun_at_ms INTEGER NOT NULL,
        started_at_ms INTEGER,
        ended_at_ms INTEGER,
        expires_at_ms INTEGER NOT NULL,
        due_at_ms INTEGER NOT NULL
      ) STRICT;
CREATE TABLE apply_parts (
        apply INTEGER NOT NULL,
        part INTEGER NOT NULL CHECK (part >= 1),
        digest TEXT NOT NULL,
        actor TEXT NOT NULL,
        request_id TEXT NOT NULL,
        PRIMARY KEY (apply, part)
      ) STRICT, WITHOUT ROWID;
CREATE TABLE apply_tenants (
        apply INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        part INTEGER NOT NULL CHECK (part >= 0),
        stage TEXT NOT NULL
          CHECK (stage IN ('stored', 'unchanged', 'planned', 'acting', 'done', 'failed')),
        settings TEXT,
        action TEXT,
        changes TEXT,
        version INTEGER,
        warnings TEXT,
        failure TEXT,
        tries INTEGER NOT NULL DEFAULT 0,
        entry TEXT,
        PRIMARY KEY (apply, tenant)
      ) STRICT, WITHOUT ROWID;
CREATE INDEX apply_tenants_stage ON apply_tenants (apply, stage, tenant);
INSERT INTO schema_version (version) VALUES (1);
INSERT INTO applies (number, id, state, parts, prune, dry_run, stored_parts, named, others, pruned_to, counts, change, warnings, actor, request_id, begun_at_ms, started_at_ms, ended_at_ms, expires_at_ms, due_at_ms) VALUES (1, 'kept', 'planned', 1, 0, 1, 1, 1, 0, NULL, '{"create":1,"update":0,"unchanged":0,"suspend":0,"done":0,"failed":0}', '{"floors":0,"promised":1000000000}', '[]', 'admin_token', 'req_01XDTT7V0MXFDPPYS62PSBVH94', 2110802619412, 2110802619412, 2110802619412, 2110889019412, 2110802619412);
INSERT INTO applies (number, id, state, parts, prune, dry_run, stored_parts, named, others, pruned_to, counts, change, warnings, actor, request_id, begun_at_ms, started_at_ms, ended_at_ms, expires_at_ms, due_at_ms) VALUES (2, 'waiting', 'collecting', 2, 0, 0, 1, 2, 0, NULL, '{"create":0,"update":0,"unchanged":0,"suspend":0,"done":0,"failed":0}', '{"floors":0,"promised":0}', '[]', 'admin_token', 'req_01XDTT7V0MPWRXFJVB8FS3DT3K', 2110802619412, NULL, NULL, 2110889019412, 2110802619412);
INSERT INTO apply_parts (apply, part, digest, actor, request_id) VALUES (1, 1, 'f02809bd6d9dd45e36f3cc69aebbcd4bbef404f747bed8d86915bc00d3f65453', 'admin_token', 'req_01XDTT7V0MXFDPPYS62PSBVH94');
INSERT INTO apply_parts (apply, part, digest, actor, request_id) VALUES (2, 1, '8dc4fb8009ba0f693f438ac8dd4d5877e1e5364065935557353475a23cb75465', 'admin_token', 'req_01XDTT7V0MPWRXFJVB8FS3DT3K');
INSERT INTO apply_tenants (apply, tenant, part, stage, settings, action, changes, version, warnings, failure, tries, entry) VALUES (1, 'released-new', 1, 'planned', '{"reserved_neurons":0,"overage_cap_neurons":null,"monthly_cap_neurons":null,"overage_usd_per_1000_neurons":"0.011","rpm":{"requests":300},"max_in_flight":50,"models":null,"aliases":{},"fallbacks":{},"cache_ttl_s":0,"daily_images_per_user":50,"content_retention_days":0,"verdict_retention_days":30,"event_retention_days":30,"default_max_tokens":1024,"compact_prompts":false,"cache_max_temperature":0,"suspended":false,"plan":"free","daily_neurons":1000}', 'create', '[{"field":"daily_neurons","from":null,"to":1000},{"field":"plan","from":null,"to":"free"}]', NULL, NULL, NULL, 0, NULL);
INSERT INTO apply_tenants (apply, tenant, part, stage, settings, action, changes, version, warnings, failure, tries, entry) VALUES (2, 'released-new', 1, 'stored', '{"plan":"paid","daily_neurons":1000,"overage_cap_neurons":50}', NULL, NULL, NULL, NULL, NULL, 0, NULL);
INSERT INTO apply_tenants (apply, tenant, part, stage, settings, action, changes, version, warnings, failure, tries, entry) VALUES (2, 'released-paid', 1, 'stored', '{"plan":"paid","daily_neurons":1000,"overage_cap_neurons":50}', NULL, NULL, NULL, NULL, NULL, 0, NULL);
