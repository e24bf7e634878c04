-- The database of a tenant of the last build before tables were made in stages: one row of every kind at least.
CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
CREATE TABLE tenant (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        id TEXT NOT NULL,
        generation INTEGER NOT NULL CHECK (generation >= 1),
        settings TEXT NOT NULL,
        version INTEGER NOT NULL CHECK (version >= 1),
        content_secret TEXT NOT NULL,
        carried_day INTEGER NOT NULL,
        carried INTEGER NOT NULL CHECK (carried >= 0),
        closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1)),
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL
      ) STRICT;
CREATE TABLE policies (
        name TEXT NOT NULL,
        version INTEGER NOT NULL CHECK (version >= 1),
        body TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        PRIMARY KEY (name, version)
      ) STRICT, WITHOUT ROWID;
CREATE TABLE meter (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        clock_ms INTEGER NOT NULL,
        windows TEXT NOT NULL,
        oldest_hold TEXT,
        closed_day INTEGER,
        closed_at_ms INTEGER,
        probe_at_ms INTEGER
      ) STRICT;
CREATE TABLE periods (
        day INTEGER PRIMARY KEY,
        quota INTEGER NOT NULL CHECK (quota >= 0),
        granted INTEGER NOT NULL CHECK (granted >= 0),
        overage INTEGER NOT NULL CHECK (overage >= 0),
        posted INTEGER NOT NULL CHECK (posted = quota + granted + overage),
        totals TEXT NOT NULL
      ) STRICT;
CREATE TABLE journal (
        id TEXT PRIMARY KEY,
        day INTEGER NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('pending', 'posted', 'voided', 'expired')),
        request_id TEXT NOT NULL,
        route TEXT NOT NULL,
        key_id TEXT,
        user_id TEXT,
        verdict_id TEXT,
        admitted_at_ms INTEGER NOT NULL,
        deadline_ms INTEGER NOT NULL,
        settled_at_ms INTEGER,
        held INTEGER NOT NULL CHECK (held >= 0),
        quota INTEGER NOT NULL DEFAULT 0 CHECK (quota >= 0),
        granted INTEGER NOT NULL DEFAULT 0 CHECK (granted >= 0),
        overage INTEGER NOT NULL DEFAULT 0 CHECK (overage >= 0),
        overrun INTEGER NOT NULL DEFAULT 0 CHECK (overrun >= 0),
        overage_rate TEXT,
        price_book TEXT NOT NULL,
        items TEXT NOT NULL, grants TEXT CHECK ((grants IS NULL) = (granted = 0)),
        CHECK (quota + granted + overage <= held),
        CHECK ((outcome = 'pending') = (settled_at_ms IS NULL))
      ) STRICT, WITHOUT ROWID;
CREATE TABLE verdicts (
        id TEXT PRIMARY KEY,
        call_id TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        decision TEXT NOT NULL CHECK (decision IN ('allow', 'flag', 'block')),
        approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
        policy_name TEXT NOT NULL,
        policy_version INTEGER NOT NULL,
        user_id TEXT,
        content_id TEXT,
        batch_id TEXT,
        review_state TEXT NOT NULL CHECK (review_state IN ('none', 'open', 'claimed', 'done')),
        body TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
CREATE INDEX verdicts_user ON verdicts (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX verdicts_content ON verdicts (content_id, id) WHERE content_id IS NOT NULL;
CREATE INDEX verdicts_review ON verdicts (review_state, id)
        WHERE review_state IN ('open', 'claimed');
CREATE TABLE idempotency (
        day INTEGER NOT NULL,
        route TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        subject TEXT NOT NULL,
        verdict_ids TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        PRIMARY KEY (day, route, key)
      ) STRICT, WITHOUT ROWID;
CREATE TABLE refusals (
        minute INTEGER NOT NULL,
        kind TEXT NOT NULL,
        policy TEXT NOT NULL,
        count INTEGER NOT NULL CHECK (count > 0),
        body TEXT NOT NULL,
        PRIMARY KEY (minute, kind, policy)
      ) STRICT, WITHOUT ROWID;
CREATE TABLE violations (
        name TEXT PRIMARY KEY,
        count INTEGER NOT NULL,
        last_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
CREATE TABLE replies (
        day INTEGER NOT NULL,
        call_id TEXT NOT NULL,
        content_type TEXT NOT NULL,
        body BLOB NOT NULL CHECK (length(body) <= 65536),
        PRIMARY KEY (day, call_id)
      ) STRICT, WITHOUT ROWID;
CREATE TABLE user_pictures (
        day INTEGER NOT NULL,
        user_id TEXT NOT NULL,
        count INTEGER NOT NULL CHECK (count >= 0),
        PRIMARY KEY (day, user_id)
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
CREATE INDEX deliveries_due ON deliveries (webhook_id, next_try_at_ms)
    WHERE state = 'pending';
CREATE TABLE told (
    day INTEGER NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (day, type)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE reports (
  id INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE TABLE erasures (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    user_id TEXT,
    place TEXT,
    again_at_ms INTEGER,
    files_due_ms INTEGER,
    counts TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    CHECK ((user_id IS NULL) = (finished_at_ms IS NOT NULL)),
    CHECK (finished_at_ms IS NULL
      OR (place IS NULL AND again_at_ms IS NULL AND files_due_ms IS NULL))
  ) STRICT, WITHOUT ROWID;
CREATE INDEX erasures_running ON erasures (id) WHERE finished_at_ms IS NULL;
CREATE TABLE erasure_files (
    erasure_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (erasure_id, kind, subject)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE revisions (
    verdict_id TEXT NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 1),
    body TEXT NOT NULL,
    PRIMARY KEY (verdict_id, revision)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE contents (
    verdict_id TEXT PRIMARY KEY,
    created_at_ms INTEGER NOT NULL,
    text TEXT,
    pictures TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE TABLE content_files (
    verdict_id TEXT PRIMARY KEY,
    erase_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE TABLE content_reads (
    id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    key_id TEXT,
    request_id TEXT NOT NULL,
    verdict_id TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE TABLE batches (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL
      CHECK (state IN ('running', 'waiting', 'canceling', 'completed', 'stopped', 'canceled')),
    items INTEGER NOT NULL CHECK (items >= 1),
    ends TEXT NOT NULL,
    resume INTEGER NOT NULL CHECK (resume IN (0, 1)),
    secret_hash TEXT,
    key_id TEXT,
    request_id TEXT NOT NULL,
    counts TEXT NOT NULL,
    micro_neurons INTEGER NOT NULL CHECK (micro_neurons >= 0),
    stopped_as TEXT,
    waits_until_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    progress_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    has_file INTEGER NOT NULL CHECK (has_file IN (0, 1)),
    CHECK ((finished_at_ms IS NULL) = (state IN ('running', 'waiting', 'canceling')))
  ) STRICT, WITHOUT ROWID;
CREATE INDEX batches_open ON batches (id) WHERE finished_at_ms IS NULL OR has_file = 1;
CREATE TABLE batch_steps (
    batch_id TEXT NOT NULL,
    step INTEGER NOT NULL CHECK (step >= 0),
    round INTEGER NOT NULL CHECK (round >= 1),
    attempts INTEGER NOT NULL CHECK (attempts >= 1),
    state TEXT NOT NULL CHECK (state IN ('running', 'waiting', 'done')),
    round_at_ms INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    results TEXT NOT NULL,
    PRIMARY KEY (batch_id, step)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    amount INTEGER NOT NULL CHECK (amount > 0),
    drawn INTEGER NOT NULL CHECK (drawn >= 0 AND drawn <= amount),
    reason TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    ends_at_ms INTEGER NOT NULL
      CHECK (ends_at_ms = MIN(expires_at_ms, IFNULL(ended_at_ms, expires_at_ms)))
  ) STRICT, WITHOUT ROWID;
CREATE INDEX grants_ends ON grants (ends_at_ms);
CREATE TABLE adjustments (
    id TEXT PRIMARY KEY,
    adjusts TEXT NOT NULL,
    day INTEGER NOT NULL,
    admitted_at_ms INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    quota INTEGER NOT NULL CHECK (quota >= 0),
    granted INTEGER NOT NULL CHECK (granted >= 0),
    overage INTEGER NOT NULL CHECK (overage >= 0),
    overage_rate TEXT,
    price_book TEXT NOT NULL,
    grants TEXT,
    CHECK (amount = quota + granted + overage),
    CHECK ((overage_rate IS NULL) = (overage = 0)),
    CHECK ((grants IS NULL) = (granted = 0))
  ) STRICT, WITHOUT ROWID;
CREATE INDEX adjustments_of_line ON adjustments (day, adjusts);
CREATE TABLE archives (
    day INTEGER PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('writing', 'stored', 'done', 'empty', 'broken')),
    lines INTEGER NOT NULL CHECK (lines >= 0),
    persons INTEGER NOT NULL CHECK (persons >= 0),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    sha256 TEXT NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 1),
    stale INTEGER NOT NULL CHECK (stale IN (0, 1)),
    made_at_ms INTEGER NOT NULL,
    rewritten_at_ms INTEGER
  ) STRICT;
CREATE INDEX archives_open ON archives (day) WHERE state IN ('writing', 'stored');
CREATE TABLE feed (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    from_id TEXT NOT NULL,
    walked_id TEXT,
    settled_at_ms INTEGER NOT NULL,
    settled_id TEXT NOT NULL,
    refusals_from INTEGER NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    rebuild TEXT
  ) STRICT;
CREATE TABLE report_rows (
    kind TEXT NOT NULL CHECK (kind IN ('usage_hour', 'call_hour', 'user_day', 'logged_verdict')),
    key TEXT NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    waiting INTEGER NOT NULL CHECK (waiting IN (0, 1)),
    body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID;
CREATE INDEX report_rows_waiting ON report_rows (kind, key) WHERE waiting = 1;
CREATE TABLE report_users (
    day INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    slot INTEGER NOT NULL CHECK (slot >= 1),
    PRIMARY KEY (day, user_id)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE leases (
    day INTEGER PRIMARY KEY,
    granted INTEGER NOT NULL CHECK (granted >= 0),
    deadline_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 0),
    told_at_ms INTEGER NOT NULL
  , refused TEXT) STRICT;
CREATE TABLE account_view (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    notice INTEGER NOT NULL,
    is_pooled INTEGER NOT NULL CHECK (is_pooled IN (0, 1)),
    news TEXT
  ) STRICT;
CREATE INDEX deliveries_failed ON deliveries (webhook_id) WHERE state = 'failed';
CREATE INDEX verdicts_claims ON verdicts (json_extract(body, '$.review.claim_expires_at'))
    WHERE review_state = 'claimed';
CREATE INDEX verdicts_urgent ON verdicts (id)
    WHERE review_state = 'open' AND json_extract(body, '$.review.priority') = 'urgent';
CREATE TABLE "keys" (
    id TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    name TEXT,
    role TEXT NOT NULL CHECK (role IN ('call', 'review', 'manage', 'score')),
    prefix TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER,
    ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)),
    last_used_day INTEGER
  ) STRICT, WITHOUT ROWID;
INSERT INTO schema_version (version) VALUES (19);
INSERT INTO tenant (only_row, id, generation, settings, version, content_secret, carried_day, carried, closed, created_at_ms, updated_at_ms) VALUES (1, 'released', 1, '{"reserved_neurons":0,"overage_cap_neurons":null,"monthly_cap_neurons":null,"overage_usd_per_1000_neurons":"0.011","rpm":{"requests":300},"max_in_flight":50,"models":null,"aliases":{},"fallbacks":{},"cache_ttl_s":600,"daily_images_per_user":50,"content_retention_days":30,"verdict_retention_days":30,"event_retention_days":30,"default_max_tokens":1024,"compact_prompts":false,"cache_max_temperature":0,"suspended":false,"plan":"free","daily_neurons":2000}', 4, '40307fd21d1c5a82aa0a32ab3539c5b8622cf2b68dd2dd7ab11d1f2d341a5d0c', 0, 0, 0, 2107346607412, 2110802617412);
INSERT INTO policies (name, version, body, created_at_ms) VALUES ('default', 1, '{"categories":{"negativity":{"inputs":["text"],"required":false,"flag":null,"block":null,"ban":null},"spam":{"inputs":["text"],"required":true,"flag":null,"block":0.7,"ban":null},"toxicity":{"inputs":["text"],"required":true,"flag":null,"block":0.7,"ban":0.9},"harassment":{"inputs":["text"],"required":true,"flag":0.7,"block":null,"ban":null},"harassment/threatening":{"inputs":["text"],"required":true,"flag":0.5,"block":0.8,"ban":null},"hate":{"inputs":["text"],"required":true,"flag":0.5,"block":0.8,"ban":null},"hate/threatening":{"inputs":["text"],"required":false,"flag":0.4,"block":0.7,"ban":null},"illicit":{"inputs":["text"],"required":false,"flag":0.7,"block":null,"ban":null},"illicit/violent":{"inputs":["text"],"required":false,"flag":0.5,"block":0.8,"ban":null},"self-harm":{"inputs":["text"],"required":true,"flag":0.5,"block":null,"ban":null},"self-harm/instructions":{"inputs":["text"],"required":false,"flag":0.5,"block":0.7,"ban":null},"self-harm/intent":{"inputs":["text"],"required":false,"flag":0.5,"block":null,"ban":null},"sexual":{"inputs":["text"],"required":true,"flag":0.7,"block":null,"ban":null},"sexual/minors":{"inputs":["text"],"required":false,"flag":0.3,"block":0.7,"ban":null},"violence":{"inputs":["text"],"required":false,"flag":0.8,"block":null,"ban":null},"violence/graphic":{"inputs":["text"],"required":false,"flag":0.7,"block":null,"ban":null},"weapons":{"inputs":["image"],"required":false,"flag":0.7,"block":null,"ban":null},"alcohol":{"inputs":["image"],"required":false,"flag":null,"block":null,"ban":null},"swimwear":{"inputs":["image"],"required":false,"flag":null,"block":null,"ban":null},"nsfw":{"inputs":["image"],"required":true,"flag":0.5,"block":0.7,"ban":0.9}},"spam_phrases":["buy now","click here","limited offer","act now"],"terms":{"block":[],"allow":[]},"on_unavailable":"flag","evaluate_all":false,"guard":{"input":"off","output":"off"},"models":{"judge":"@cf/meta/llama-3.1-8b-instruct-fp8","judge_fallback":null,"vision":null},"routing":{"rules":[{"task":"code","complexity":"high","length":null,"models":["@cf/openai/gpt-oss-120b","@cf/qwen/qwen2.5-coder-32b-instruct"]},{"task":"code","complexity":"medium","length":null,"models":["@cf/openai/gpt-oss-20b","@cf/qwen/qwen2.5-coder-32b-instruct","@cf/openai/gpt-oss-120b"]},{"task":"code","complexity":null,"length":null,"models":["@cf/zai-org/glm-4.7-flash","@cf/openai/gpt-oss-20b","@cf/qwen/qwen2.5-coder-32b-instruct"]},{"task":"analysis","complexity":"high","length":null,"models":["@cf/openai/gpt-oss-120b","@cf/mistralai/mistral-small-3.1-24b-instruct"]},{"task":"analysis","complexity":null,"length":"long","models":["@cf/google/gemma-4-26b-a4b-it","@cf/openai/gpt-oss-20b"]},{"task":"analysis","complexity":"medium","length":null,"models":["@cf/openai/gpt-oss-20b","@cf/google/gemma-4-26b-a4b-it"]},{"task":"analysis","complexity":null,"length":null,"models":["@cf/zai-org/glm-4.7-flash","@cf/google/gemma-4-26b-a4b-it"]},{"task":"creative","complexity":"high","length":null,"models":["@cf/mistralai/mistral-small-3.1-24b-instruct","@cf/google/gemma-4-26b-a4b-it"]},{"task":"creative","complexity":null,"length":null,"models":["@cf/google/gemma-4-26b-a4b-it","@cf/mistralai/mistral-small-3.1-24b-instruct"]},{"task":"conversation","complexity":"low","length":"short","models":["@cf/ibm-granite/granite-4.0-h-micro","@cf/zai-org/glm-4.7-flash"]},{"task":null,"complexity":"high","length":null,"models":["@cf/google/gemma-4-26b-a4b-it","@cf/openai/gpt-oss-120b","@cf/mistralai/mistral-small-3.1-24b-instruct"]},{"task":null,"complexity":null,"length":null,"models":["@cf/google/gemma-4-26b-a4b-it","@cf/meta/llama-3.1-8b-instruct-fp8","@cf/zai-org/glm-4.7-flash","@cf/ibm-granite/granite-4.0-h-micro","@cf/mistralai/mistral-small-3.1-24b-instruct","@cf/openai/gpt-oss-20b","@cf/openai/gpt-oss-120b"]}]},"format":2}', 2107346607412);
INSERT INTO meter (only_row, clock_ms, windows, oldest_hold, closed_day, closed_at_ms, probe_at_ms) VALUES (1, 2110802619412, '{"requests":[[2110802607,4],[2110802617,1],[2110802619,2]],"text_classification":[[2110802607,1],[2110802617,1]],"text_generation":[[2110802607,2],[2110802617,1]],"image_classification":[[2110802607,1],[2110802619,1]],"test_inputs":[[2110802607,1]],"text_to_image":[[2110802607,1],[2110802619,1]]}', 'jnl_01XDTT7V0M0DRVJAPRCFB79XRZ', NULL, NULL, NULL);
INSERT INTO periods (day, quota, granted, overage, posted, totals) VALUES (24390, 9302396, 0, 0, 9302396, '{"calls":1,"overrun":0,"models":{"embedded|neurogate/tier0@1|@cf/huggingface/distilbert-sst-2-int8":{"model":"neurogate/tier0@1","engine":"embedded","pricedAs":"@cf/huggingface/distilbert-sst-2-int8","task":"text_classification","engineRequests":1,"failed":0,"units":{"input_token":9},"microNeurons":21546,"estimated":21546,"held":0},"embedded|neurogate/tier0@1|@cf/meta/llama-3.1-8b-instruct-fp8":{"model":"neurogate/tier0@1","engine":"embedded","pricedAs":"@cf/meta/llama-3.1-8b-instruct-fp8","task":"text_generation","engineRequests":1,"failed":0,"units":{"input_token":465,"output_token":110},"microNeurons":9280850,"estimated":9280850,"held":0}},"overageByRate":{},"refused":{}}');
INSERT INTO periods (day, quota, granted, overage, posted, totals) VALUES (24430, 134941237, 0, 0, 134941237, '{"calls":6,"overrun":0,"models":{"embedded|neurogate/tier0@1|@cf/huggingface/distilbert-sst-2-int8":{"model":"neurogate/tier0@1","engine":"embedded","pricedAs":"@cf/huggingface/distilbert-sst-2-int8","task":"text_classification","engineRequests":2,"failed":0,"units":{"input_token":21},"microNeurons":50274,"estimated":50274,"held":0},"embedded|neurogate/tier0@1|@cf/meta/llama-3.1-8b-instruct-fp8":{"model":"neurogate/tier0@1","engine":"embedded","pricedAs":"@cf/meta/llama-3.1-8b-instruct-fp8","task":"text_generation","engineRequests":2,"failed":0,"units":{"input_token":933,"output_token":220},"microNeurons":18603034,"estimated":18603034,"held":0},"embedded|neurogate/pixels@1|@cf/microsoft/resnet-50":{"model":"neurogate/pixels@1","engine":"embedded","pricedAs":"@cf/microsoft/resnet-50","task":"image_classification","engineRequests":1,"failed":0,"units":{"image":1},"microNeurons":228055,"estimated":0,"held":0},"embedded|neurogate/extract@1|@cf/meta/llama-3.1-8b-instruct-fp8":{"model":"neurogate/extract@1","engine":"embedded","pricedAs":"@cf/meta/llama-3.1-8b-instruct-fp8","task":"text_generation","engineRequests":1,"failed":0,"units":{"input_token":53,"output_token":5},"microNeurons":860874,"estimated":860874,"held":0},"embedded|neurogate/placard@1|@cf/black-forest-labs/flux-1-schnell":{"model":"neurogate/placard@1","engine":"embedded","pricedAs":"@cf/black-forest-labs/flux-1-schnell","task":"text_to_image","engineRequests":2,"failed":0,"units":{"step":8,"tile_512":8},"microNeurons":115200000,"estimated":0,"held":0}},"overageByRate":{},"refused":{"quota_exceeded":1},"adjusted":-1000}');
INSERT INTO journal (id, day, outcome, request_id, route, key_id, user_id, verdict_id, admitted_at_ms, deadline_ms, settled_at_ms, held, quota, granted, overage, overrun, overage_rate, price_book, items, grants) VALUES ('jnl_01XDTT7F9M6913PGFPN8D8DA35', 24430, 'voided', 'req_01XDTT7F9MW03A9NTQ4Q2NHYNX', 'POST /v1/verdicts', 'key_01XAKTAQ9MJEV3YX26RCQ0WBNJ', 'u_one', 'vrd_01XDTT7F9MT8M1AZBC57GH8NFR', 2110802607412, 2110802697412, 2110802607412, 0, 0, 0, 0, 0, NULL, '2026-09', '[]', NULL);
INSERT INTO journal (id, day, outcome, request_id, route, key_id, user_id, verdict_id, admitted_at_ms, deadline_ms, settled_at_ms, held, quota, granted, overage, overrun, overage_rate, price_book, items, grants) VALUES ('jnl_01XDTT7F9MA1QENNDBYHGFS8SS', 24430, 'posted', 'req_01XDTT7F9MWQFHKQ7GGRBMD5QM', 'POST /v1/verdicts', 'key_01XAKTAQ9MJEV3YX26RCQ0WBNJ', 'u_one', 'vrd_01XDTT7F9M4MDV77VE80T38BDX', 2110802607412, 2110802697412, 2110802607412, 13490687, 9530451, 0, 0, 0, NULL, '2026-09', '[[0,"sentiment","text","neurogate/tier0@1","embedded","@cf/huggingface/distilbert-sst-2-int8","text_classification",1,{"input_token":9},21546,0,"estimated",0],[0,"judge","text","neurogate/tier0@1","embedded","@cf/meta/llama-3.1-8b-instruct-fp8","text_generation",1,{"input_token":465,"output_token":110},9280850,0,"estimated",0],[0,"labels","images/0","neurogate/pixels@1","embedded","@cf/microsoft/resnet-50","image_classification",1,{"image":1},228055,0,"counted",0]]', NULL);
INSERT INTO journal (id, day, outcome, request_id, route, key_id, user_id, verdict_id, admitted_at_ms, deadline_ms, settled_at_ms, held, quota, granted, overage, overrun, overage_rate, price_book, items, grants) VALUES ('jnl_01XDTT7F9MFBPG91KKHRQKCQAK', 24430, 'posted', 'req_01XDTT7F9MGX46D8TEGAVNWMT8', 'POST /v1/images', 'key_01XAKTAQ9MJEV3YX26RCQ0WBNJ', NULL, NULL, 2110802607412, 2110802697412, 2110802607412, 57600000, 57600000, 0, 0, 0, NULL, '2026-09', '[[0,"generate","request","neurogate/placard@1","embedded","@cf/black-forest-labs/flux-1-schnell","text_to_image",1,{"step":4,"tile_512":4},57600000,0,"counted",0]]', NULL);
INSERT INTO journal (id, day, outcome, request_id, route, key_id, user_id, verdict_id, admitted_at_ms, deadline_ms, settled_at_ms, held, quota, granted, overage, overrun, overage_rate, price_book, items, grants) VALUES ('jnl_01XDTT7F9MZE3F30WHPJFHVVAF', 24430, 'posted', 'req_01XDTT7F9MSQWWVHTS9QG8N599', 'POST /v1/chat/completions', 'key_01XAKTAQ9MJEV3YX26RCQ0WBNJ', NULL, NULL, 2110802607412, 2110802697412, 2110802607412, 27540418, 860874, 0, 0, 0, NULL, '2026-09', '[[0,"generate","request","neurogate/extract@1","embedded","@cf/meta/llama-3.1-8b-instruct-fp8","text_generation",1,{"input_token":53,"output_token":5},860874,0,"estimated",0]]', NULL);
INSERT INTO journal (id, day, outcome, request_id, route, key_id, user_id, verdict_id, admitted_at_ms, deadline_ms, settled_at_ms, held, quota, granted, overage, overrun, overage_rate, price_book, items, grants) VALUES ('jnl_01XDTT7S2403NGDB04AKX8ES35', 24430, 'posted', 'req_01XDTT7S242TCB1XMT8S1X3T1T', 'POST /v1/verdicts', 'key_01XAKTAQ9MJEV3YX26RCQ0WBNJ', NULL, 'vrd_01XDTT7S2451EV2PNNDKPQ3G9S', 2110802617412, 2110802707412, 2110802617412, 13343492, 9350912, 0, 0, 0, NULL, '2026-09', '[[0,"sentiment","text","neurogate/tier0@1","embedded","@cf/huggingface/distilbert-sst-2-int8","text_classification",1,{"input_token":12},28728,0,"estimated",0],[0,"judge","text","neurogate/tier0@1","embedded","@cf/meta/llama-3.1-8b-instruct-fp8","text_generation",1,{"input_token":468,"output_token":110},9322184,0,"estimated",0]]', NULL);
INSERT INTO journal (id, day, outcome, request_id, route, key_id, user_id, verdict_id, admitted_at_ms, deadline_ms, settled_at_ms, held, quota, granted, overage, overrun, overage_rate, price_book, items, grants) VALUES ('jnl_01XDTT7V0M0DRVJAPRCFB79XRZ', 24430, 'pending', 'req_01XDTT7V0MDYBR2RFPJ25PTFRE', 'POST /v1/verdicts', 'key_01XAKTAQ9MJEV3YX26RCQ0WBNJ', NULL, NULL, 2110802619412, 2110802709412, NULL, 228055, 0, 0, 0, 0, NULL, '2026-09', '[{"content":0,"input":"images/0","fallbacks":[],"name":"labels","model":"@cf/microsoft/resnet-50","task":"image_classification","rateClass":"image_classification","calls":[{"units":{"image":1},"ownTokens":0,"bound":228055}],"units":{"image":1},"bound":228055}]', NULL);
INSERT INTO journal (id, day, outcome, request_id, route, key_id, user_id, verdict_id, admitted_at_ms, deadline_ms, settled_at_ms, held, quota, granted, overage, overrun, overage_rate, price_book, items, grants) VALUES ('jnl_01XDTT7V0MGQXT5R4ZE4Q36W79', 24430, 'posted', 'req_01XDTT7V0M5GBJE4H7RARTHQ1J', 'POST /v1/images', 'key_01XAKTAQ9MJEV3YX26RCQ0WBNJ', 'u_three', NULL, 2110802619412, 2110802709412, 2110802619412, 57600000, 57600000, 0, 0, 0, NULL, '2026-09', '[[0,"generate","request","neurogate/placard@1","embedded","@cf/black-forest-labs/flux-1-schnell","text_to_image",1,{"step":4,"tile_512":4},57600000,0,"counted",0]]', NULL);
INSERT INTO verdicts (id, call_id, created_at_ms, decision, approved, policy_name, policy_version, user_id, content_id, batch_id, review_state, body) VALUES ('vrd_01XDTT7F9M4MDV77VE80T38BDX', 'jnl_01XDTT7F9MA1QENNDBYHGFS8SS', 2110802607412, 'allow', 1, 'default', 1, 'u_one', 'post-1', NULL, 'none', '{"language":"en","coverage":"33333322232232222223","stages":[["sentiment","text","neurogate/tier0@1","@cf/huggingface/distilbert-sst-2-int8","embedded",3,[0.066],0,21546,2],["spam","text",null,null,"rules",3,[null,0],0,0,0],["judge","text","neurogate/tier0@1","@cf/meta/llama-3.1-8b-instruct-fp8","embedded",3,[null,null,0.067,0.034,0.043,0.086,null,null,null,0.007,null,null,0.042],0,9280850,2],["labels","images/0","neurogate/pixels@1","@cf/microsoft/resnet-50","embedded",2,[],0,228055,1,{"failure":{"kind":"no_judge"},"measurements":{"format":"jpeg","width":24,"height":16,"brightness":0.2578,"contrast":0.0153,"colourfulness":55.8645}}],["picture","images/0","neurogate/nsfw-mobilenet-v2@1",null,"embedded",3,[null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,0.02],0,0,0]],"amount":9530451,"hash":"44386d5e047e4124125fb2c852fb05cb08be428792b80b59a90a3621a686df1f"}');
INSERT INTO verdicts (id, call_id, created_at_ms, decision, approved, policy_name, policy_version, user_id, content_id, batch_id, review_state, body) VALUES ('vrd_01XDTT7F9MT8M1AZBC57GH8NFR', 'jnl_01XDTT7F9M6913PGFPN8D8DA35', 2110802607412, 'allow', 1, 'default', 1, 'u_one', NULL, NULL, 'done', '{"language":null,"by":"review","revision":2,"reasons":[["test",-1,"text",null,null,"This is the test input that is always flagged."]],"coverage":"22222222222222224444","stages":[],"amount":0,"review":{"origin":"policy","key_id":"key_01XAKTAQ9MJEV3YX26RCQ0WBNJ","note":"fine"},"hash":"d3f972736881586a56a007503009dbed5fbf6c75c5895985249d95558eeb2161","test":true}');
INSERT INTO verdicts (id, call_id, created_at_ms, decision, approved, policy_name, policy_version, user_id, content_id, batch_id, review_state, body) VALUES ('vrd_01XDTT7S2451EV2PNNDKPQ3G9S', 'jnl_01XDTT7S2403NGDB04AKX8ES35', 2110802617412, 'allow', 1, 'default', 1, NULL, NULL, NULL, 'none', '{"language":"en","coverage":"33333322232232224444","stages":[["sentiment","text","neurogate/tier0@1","@cf/huggingface/distilbert-sst-2-int8","embedded",3,[0.118],0,28728,2],["spam","text",null,null,"rules",3,[null,0],0,0,0],["judge","text","neurogate/tier0@1","@cf/meta/llama-3.1-8b-instruct-fp8","embedded",3,[null,null,0.063,0.046,0.133,0.048,null,null,null,0.057,null,null,0.031],0,9322184,2]],"amount":9350912,"hash":"27c5a9b8baff30c08db12e917826391d306ca6224a7b664427c7f354579fafc9"}');
INSERT INTO idempotency (day, route, key, fingerprint, subject, verdict_ids, created_at_ms) VALUES (24430, 'POST /v1/chat/completions', 'released-2', 'c779b4f2eddecb59f04a6c504396d78147676d329d75473b55d0dff2c3a37d88', 'jnl_01XDTT7F9MZE3F30WHPJFHVVAF', '[]', 2110802607412);
INSERT INTO idempotency (day, route, key, fingerprint, subject, verdict_ids, created_at_ms) VALUES (24430, 'POST /v1/keys', 'released-0', '63f163d6e11d14ff615d443498afc24fb4cdf28bd42f06ce85559d2206bc19db', 'key_01XDTT7F9M1WS8B26EC0QA60R4', '[]', 2110802607412);
INSERT INTO idempotency (day, route, key, fingerprint, subject, verdict_ids, created_at_ms) VALUES (24430, 'POST /v1/verdicts', 'released-1', '54888f0b85e14c38863c82fe9faa2787558678eeedfcec2b6cb9be1371f4aa34', 'jnl_01XDTT7F9MA1QENNDBYHGFS8SS', '["vrd_01XDTT7F9M4MDV77VE80T38BDX"]', 2110802607412);
INSERT INTO refusals (minute, kind, policy, count, body) VALUES (35180043, 'quota_exceeded', 'daily', 1, '{"limit":87000000,"posted":77341237,"pending":0,"largestRequired":13408180,"keyIds":["key_01XAKTAQ9MJEV3YX26RCQ0WBNJ"],"firstRequestId":"req_01XDTT7S24THG2J6CK74NCRM6X","settingsVersion":3}');
INSERT INTO violations (name, count, last_at_ms) VALUES ('journal_matches_period', 2, 2110802607412);
INSERT INTO replies (day, call_id, content_type, body) VALUES (24430, 'jnl_01XDTT7F9MZE3F30WHPJFHVVAF', 'application/json', X'7b226964223a2263686174636d706c2d3031584454543746394d5a45334633305748504a464856564146222c226f626a656374223a22636861742e636f6d706c6574696f6e222c2263726561746564223a323131303830323630372c226d6f64656c223a224063662f6d6574612f6c6c616d612d332e312d38622d696e7374727563742d667038222c2263686f69636573223a5b7b22696e646578223a302c226d657373616765223a7b22726f6c65223a22617373697374616e74222c22636f6e74656e74223a225361792068656c6c6f222c227265667573616c223a6e756c6c7d2c226c6f6770726f6273223a6e756c6c2c2266696e6973685f726561736f6e223a2273746f70227d5d2c227573616765223a7b2270726f6d70745f746f6b656e73223a35332c22636f6d706c6574696f6e5f746f6b656e73223a352c22746f74616c5f746f6b656e73223a35382c2270726f6d70745f746f6b656e735f64657461696c73223a7b226361636865645f746f6b656e73223a307d7d2c2273797374656d5f66696e6765727072696e74223a6e756c6c2c226e6575726f67617465223a7b226d6963726f5f6e6575726f6e73223a3836303837342c226261736973223a22657374696d61746564222c22656e67696e65223a22656d626564646564222c226d6f64656c223a226e6575726f676174652f657874726163744031222c227072696365645f6173223a224063662f6d6574612f6c6c616d612d332e312d38622d696e7374727563742d667038222c22726571756573745f6964223a227265715f3031584454543746394d5351575756485453395147384e353939222c227374616e645f696e223a747275657d7d');
INSERT INTO user_pictures (day, user_id, count) VALUES (24430, 'u_three', 1);
INSERT INTO events (id, type, created_at_ms, subject, decision, data) VALUES ('evt_01XDTT7F9MCAPG4BN5FBQPKW00', 'moderation.verdict', 2110802607412, 'vrd_01XDTT7F9M4MDV77VE80T38BDX', 'allow', NULL);
INSERT INTO events (id, type, created_at_ms, subject, decision, data) VALUES ('evt_01XDTT7F9MCAPG4BN5FBQPKW10', 'moderation.verdict', 2110802607412, 'vrd_01XDTT7F9MT8M1AZBC57GH8NFR', 'flag', NULL);
INSERT INTO events (id, type, created_at_ms, subject, decision, data) VALUES ('evt_01XDTT7S24CNBZ9N9JTQDF9BJ0', 'quota.threshold', 2110802617412, NULL, NULL, '{"object":"limits","tenant":"released","plan":"free","day":"2036-11-20","resets_at":"2036-11-21T00:00:00.000Z","limit_micro_neurons":89000000,"posted_micro_neurons":77341237,"pending_micro_neurons":0,"available_micro_neurons":11658763,"month":{"month":"2036-11","resets_at":"2036-12-01T00:00:00.000Z","limit_micro_neurons":null,"posted_micro_neurons":77341237,"pending_micro_neurons":0,"available_micro_neurons":null},"grants":[{"id":"grt_01XDTT7F9MJG5QQ83VN6ABRYB6","remaining_micro_neurons":5000000,"expires_at":"2037-02-18T14:03:27.412Z"}],"overage":{"micro_neurons":0,"cap_neurons":null},"rates":[{"name":"requests","limit":300,"remaining":295,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"test_inputs","limit":60,"remaining":59,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_generation","limit":300,"remaining":297,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_classification","limit":2000,"remaining":1998,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_embeddings","limit":3000,"remaining":3000,"resets_at":null},{"name":"image_classification","limit":3000,"remaining":2999,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"object_detection","limit":3000,"remaining":3000,"resets_at":null},{"name":"image_to_text","limit":720,"remaining":720,"resets_at":null},{"name":"text_to_image","limit":720,"remaining":719,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"speech_to_text","limit":720,"remaining":720,"resets_at":null},{"name":"text_to_speech","limit":300,"remaining":300,"resets_at":null},{"name":"translation","limit":720,"remaining":720,"resets_at":null},{"name":"summarization","limit":1500,"remaining":1500,"resets_at":null},{"name":"other","limit":300,"remaining":300,"resets_at":null}],"in_flight":{"limit":50,"used":0},"threshold":0.8}');
INSERT INTO events (id, type, created_at_ms, subject, decision, data) VALUES ('evt_01XDTT7S24CNBZ9N9JTQDF9BK0', 'moderation.verdict', 2110802617412, 'vrd_01XDTT7S2451EV2PNNDKPQ3G9S', 'allow', NULL);
INSERT INTO webhooks (id, slot, url, description, events, decisions, enabled, disabled_reason, secret, old_secret, old_secret_until_ms, cursor, replay, failing_since_ms, not_before_ms, last_try_at_ms, created_at_ms, updated_at_ms, sent, ordered, outage, ahead) VALUES ('whk_01XDTT7F9MH0KGJ4Z7N18F73VJ', 1, 'https://hooks.acme.dev/', NULL, '["moderation.verdict","quota.threshold"]', NULL, 0, 'request', 'whsec_st46aBP3NPOOw9pzswrw9y1EdWL0qEIfki7sfeNLvdM=', NULL, NULL, '', NULL, NULL, 0, 0, 2110802607412, 2110802607412, '[]', 0, '[]', '');
INSERT INTO deliveries (webhook_id, id, state, first_try_at_ms, next_try_at_ms, attempts, tries) VALUES ('whk_01XDTT7F9MH0KGJ4Z7N18F73VJ', 'dlv_01XDTT7F9MCAPG4BN5FBQPKW01', 'failed', NULL, NULL, '[]', 0);
INSERT INTO told (day, type) VALUES (24430, 'quota.exceeded');
INSERT INTO told (day, type) VALUES (24430, 'quota.threshold');
INSERT INTO reports (id, type, data) VALUES (1, 'quota.threshold', '{"object":"limits","tenant":"released","plan":"free","day":"2036-11-20","resets_at":"2036-11-21T00:00:00.000Z","limit_micro_neurons":89000000,"posted_micro_neurons":77341237,"pending_micro_neurons":0,"available_micro_neurons":11658763,"month":{"month":"2036-11","resets_at":"2036-12-01T00:00:00.000Z","limit_micro_neurons":null,"posted_micro_neurons":77341237,"pending_micro_neurons":0,"available_micro_neurons":null},"grants":[{"id":"grt_01XDTT7F9MJG5QQ83VN6ABRYB6","remaining_micro_neurons":5000000,"expires_at":"2037-02-18T14:03:27.412Z"}],"overage":{"micro_neurons":0,"cap_neurons":null},"rates":[{"name":"requests","limit":300,"remaining":295,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"test_inputs","limit":60,"remaining":59,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_generation","limit":300,"remaining":297,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_classification","limit":2000,"remaining":1998,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_embeddings","limit":3000,"remaining":3000,"resets_at":null},{"name":"image_classification","limit":3000,"remaining":2999,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"object_detection","limit":3000,"remaining":3000,"resets_at":null},{"name":"image_to_text","limit":720,"remaining":720,"resets_at":null},{"name":"text_to_image","limit":720,"remaining":719,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"speech_to_text","limit":720,"remaining":720,"resets_at":null},{"name":"text_to_speech","limit":300,"remaining":300,"resets_at":null},{"name":"translation","limit":720,"remaining":720,"resets_at":null},{"name":"summarization","limit":1500,"remaining":1500,"resets_at":null},{"name":"other","limit":300,"remaining":300,"resets_at":null}],"in_flight":{"limit":50,"used":0},"threshold":0.8}');
INSERT INTO reports (id, type, data) VALUES (2, 'quota.exceeded', '{"object":"limits","tenant":"released","plan":"free","day":"2036-11-20","resets_at":"2036-11-21T00:00:00.000Z","limit_micro_neurons":87000000,"posted_micro_neurons":77341237,"pending_micro_neurons":0,"available_micro_neurons":9658763,"month":{"month":"2036-11","resets_at":"2036-12-01T00:00:00.000Z","limit_micro_neurons":null,"posted_micro_neurons":77341237,"pending_micro_neurons":0,"available_micro_neurons":null},"grants":[{"id":"grt_01XDTT7F9MJG5QQ83VN6ABRYB6","remaining_micro_neurons":5000000,"expires_at":"2037-02-18T14:03:27.412Z"}],"overage":{"micro_neurons":0,"cap_neurons":null},"rates":[{"name":"requests","limit":300,"remaining":295,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"test_inputs","limit":60,"remaining":59,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_generation","limit":300,"remaining":297,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_classification","limit":2000,"remaining":1998,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"text_embeddings","limit":3000,"remaining":3000,"resets_at":null},{"name":"image_classification","limit":3000,"remaining":2999,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"object_detection","limit":3000,"remaining":3000,"resets_at":null},{"name":"image_to_text","limit":720,"remaining":720,"resets_at":null},{"name":"text_to_image","limit":720,"remaining":719,"resets_at":"2036-11-20T14:04:28.000Z"},{"name":"speech_to_text","limit":720,"remaining":720,"resets_at":null},{"name":"text_to_speech","limit":300,"remaining":300,"resets_at":null},{"name":"translation","limit":720,"remaining":720,"resets_at":null},{"name":"summarization","limit":1500,"remaining":1500,"resets_at":null},{"name":"other","limit":300,"remaining":300,"resets_at":null}],"in_flight":{"limit":50,"used":0},"refused":"quota_exceeded","policy":"daily"}');
INSERT INTO erasures (id, person, user_id, place, again_at_ms, files_due_ms, counts, created_at_ms, finished_at_ms) VALUES ('era_01XDTT7V0M9PTKZ9EHZS67WBE5', '66bca01c7b5d8224f969e4597fc1640d22d173fee15d01e11f628527ddde5e66', 'u_two', NULL, 2110803219412, 2110802619412, '{"journal_lines":1,"user_pictures":1,"user_days":1}', 2110802619412, NULL);
INSERT INTO erasure_files (erasure_id, kind, subject) VALUES ('era_01XDTT7V0M9PTKZ9EHZS67WBE5', 'archive', '24390');
INSERT INTO erasure_files (erasure_id, kind, subject) VALUES ('era_01XDTT7V0M9PTKZ9EHZS67WBE5', 'image_call', 'jnl_01XDTT7F9MFBPG91KKHRQKCQAK');
INSERT INTO erasure_files (erasure_id, kind, subject) VALUES ('era_01XDTT7V0M9PTKZ9EHZS67WBE5', 'user_day', '0024430|0002');
INSERT INTO revisions (verdict_id, revision, body) VALUES ('vrd_01XDTT7F9MT8M1AZBC57GH8NFR', 1, '{"decision":"flag","approved":false,"decidedBy":"policy","keyId":null,"note":null,"createdAtMs":2110802607412}');
INSERT INTO revisions (verdict_id, revision, body) VALUES ('vrd_01XDTT7F9MT8M1AZBC57GH8NFR', 2, '{"decision":"allow","approved":true,"decidedBy":"review","keyId":"key_01XAKTAQ9MJEV3YX26RCQ0WBNJ","note":"fine","createdAtMs":2110802607412}');
INSERT INTO contents (verdict_id, created_at_ms, text, pictures) VALUES ('vrd_01XDTT7F9M4MDV77VE80T38BDX', 2110802607412, 'Nice to meet you', '[{"contentType":"image/jpeg","bytes":406,"kept":true}]');
INSERT INTO contents (verdict_id, created_at_ms, text, pictures) VALUES ('vrd_01XDTT7F9MT8M1AZBC57GH8NFR', 2110802607412, 'neurogate:test:flag', '[]');
INSERT INTO contents (verdict_id, created_at_ms, text, pictures) VALUES ('vrd_01XDTT7S2451EV2PNNDKPQ3G9S', 2110802617412, 'Nice to see you again', '[]');
INSERT INTO content_files (verdict_id, erase_at_ms) VALUES ('vrd_01XDTT7V0MDGKB62SCJ7JPNXD6', 2110802799412);
INSERT INTO content_reads (id, at_ms, key_id, request_id, verdict_id) VALUES ('evt_01XDTT7F9M73CSZGX695FZ3K9Y', 2110802607412, 'key_01XAKTAQ9MJEV3YX26RCQ0WBNJ', 'req_01XDTT7F9M8JFPXKXF0VD3EJRW', 'vrd_01XDTT7F9M4MDV77VE80T38BDX');
INSERT INTO batches (id, state, items, ends, resume, secret_hash, key_id, request_id, counts, micro_neurons, stopped_as, waits_until_ms, created_at_ms, progress_at_ms, finished_at_ms, has_file) VALUES ('bat_01XDTT7F9MGX9PGQW2Y5Q1GFNF', 'running', 1, '[56]', 0, 'd6f5c35b8852b36d175c17d8da57b16551df2037904e60c305cadab9c5843a88', 'key_01XAKTAQ9MJEV3YX26RCQ0WBNJ', 'req_01XDTT7F9M3515VZ3JP58WWKMA', '{"allow":0,"flag":0,"block":0,"failed":{}}', 0, NULL, NULL, 2110802607412, 2110802607412, NULL, 1);
INSERT INTO batch_steps (batch_id, step, round, attempts, state, round_at_ms, started_at_ms, finished_at_ms, results) VALUES ('bat_01XDTT7F9MGX9PGQW2Y5Q1GFNF', 0, 1, 1, 'running', 2110802607412, 2110802607412, NULL, '[]');
INSERT INTO grants (id, amount, drawn, reason, created_at_ms, expires_at_ms, ended_at_ms, ends_at_ms) VALUES ('grt_01XDTT7F9MJG5QQ83VN6ABRYB6', 5000000, 0, 'a gift', 2110802607412, 2118578607412, NULL, 2118578607412);
INSERT INTO adjustments (id, adjusts, day, admitted_at_ms, made_at_ms, request_id, reason, amount, quota, granted, overage, overage_rate, price_book, grants) VALUES ('jnl_01XDTT7F9MJ065XDQSXS18Y5WQ', 'jnl_01XDTT7F9MZE3F30WHPJFHVVAF', 24430, 2110802607412, 2110802607412, 'req_01XDTT7F9MBC869TJ0NV5J3GSK', 'contested', 1000, 1000, 0, 0, NULL, '2026-09', NULL);
INSERT INTO archives (day, state, lines, persons, amount, bytes, sha256, revision, stale, made_at_ms, rewritten_at_ms) VALUES (24390, 'done', 1, 1, 9302396, 1115, '4a5711b0d2c635ae69517bb15fdc713b49c3d3ab3d14ed33f3952a6dc21b6b18', 1, 0, 2110802607412, NULL);
INSERT INTO feed (only_row, sequence, from_id, walked_id, settled_at_ms, settled_id, refusals_from, epoch, rebuild) VALUES (1, 10, 'jnl_01XDTSN5BM', NULL, 2110802607412, 'jnl_01XDTT7F9MZE3F30WHPJFHVVAF', 35180043, 0, NULL);
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('call_hour', '0585374', 3, 1, '{"hour":585374,"calls":1,"posted":1,"voided":0,"expired":0,"failed":0,"quota":9302396,"granted":0,"overage":0,"overageByRate":{},"adjusted":0,"refused":{},"latency":{"0":1},"settledAfterMidnight":0}');
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('call_hour', '0586334', 9, 1, '{"hour":586334,"calls":4,"posted":3,"voided":1,"expired":0,"failed":0,"quota":67990325,"granted":0,"overage":0,"overageByRate":{},"adjusted":-1000,"refused":{},"latency":{"0":4},"settledAfterMidnight":0}');
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('usage_hour', '0585374|neurogate/tier0@1|embedded|@cf/huggingface/distilbert-sst-2-int8|text_classification', 3, 1, '{"hour":585374,"model":"neurogate/tier0@1","engine":"embedded","pricedAs":"@cf/huggingface/distilbert-sst-2-int8","task":"text_classification","engineRequests":1,"failed":0,"inputTokens":9,"outputTokens":0,"units":{"input_token":9},"microNeurons":21546,"estimated":21546,"held":0,"overrun":0,"settledAfterMidnight":0,"latency":{"0":1}}');
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('usage_hour', '0585374|neurogate/tier0@1|embedded|@cf/meta/llama-3.1-8b-instruct-fp8|text_generation', 3, 1, '{"hour":585374,"model":"neurogate/tier0@1","engine":"embedded","pricedAs":"@cf/meta/llama-3.1-8b-instruct-fp8","task":"text_generation","engineRequests":1,"failed":0,"inputTokens":465,"outputTokens":110,"units":{"input_token":465,"output_token":110},"microNeurons":9280850,"estimated":9280850,"held":0,"overrun":0,"settledAfterMidnight":0,"latency":{"0":1}}');
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('usage_hour', '0586334|neurogate/extract@1|embedded|@cf/meta/llama-3.1-8b-instruct-fp8|text_generation', 9, 1, '{"hour":586334,"model":"neurogate/extract@1","engine":"embedded","pricedAs":"@cf/meta/llama-3.1-8b-instruct-fp8","task":"text_generation","engineRequests":1,"failed":0,"inputTokens":53,"outputTokens":5,"units":{"input_token":53,"output_token":5},"microNeurons":860874,"estimated":860874,"held":0,"overrun":0,"settledAfterMidnight":0,"latency":{"0":1}}');
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('usage_hour', '0586334|neurogate/pixels@1|embedded|@cf/microsoft/resnet-50|image_classification', 9, 1, '{"hour":586334,"model":"neurogate/pixels@1","engine":"embedded","pricedAs":"@cf/microsoft/resnet-50","task":"image_classification","engineRequests":1,"failed":0,"inputTokens":0,"outputTokens":0,"units":{"image":1},"microNeurons":228055,"estimated":0,"held":0,"overrun":0,"settledAfterMidnight":0,"latency":{"0":1}}');
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('usage_hour', '0586334|neurogate/placard@1|embedded|@cf/black-forest-labs/flux-1-schnell|text_to_image', 9, 1, '{"hour":586334,"model":"neurogate/placard@1","engine":"embedded","pricedAs":"@cf/black-forest-labs/flux-1-schnell","task":"text_to_image","engineRequests":1,"failed":0,"inputTokens":0,"outputTokens":0,"units":{"step":4,"tile_512":4},"microNeurons":57600000,"estimated":0,"held":0,"overrun":0,"settledAfterMidnight":0,"latency":{"0":1}}');
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('usage_hour', '0586334|neurogate/tier0@1|embedded|@cf/huggingface/distilbert-sst-2-int8|text_classification', 9, 1, '{"hour":586334,"model":"neurogate/tier0@1","engine":"embedded","pricedAs":"@cf/huggingface/distilbert-sst-2-int8","task":"text_classification","engineRequests":1,"failed":0,"inputTokens":9,"outputTokens":0,"units":{"input_token":9},"microNeurons":21546,"estimated":21546,"held":0,"overrun":0,"settledAfterMidnight":0,"latency":{"0":1}}');
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('usage_hour', '0586334|neurogate/tier0@1|embedded|@cf/meta/llama-3.1-8b-instruct-fp8|text_generation', 9, 1, '{"hour":586334,"model":"neurogate/tier0@1","engine":"embedded","pricedAs":"@cf/meta/llama-3.1-8b-instruct-fp8","task":"text_generation","engineRequests":1,"failed":0,"inputTokens":465,"outputTokens":110,"units":{"input_token":465,"output_token":110},"microNeurons":9280850,"estimated":9280850,"held":0,"overrun":0,"settledAfterMidnight":0,"latency":{"0":1}}');
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('user_day', '0024390|0001', 3, 1, '{"day":24390,"slot":1,"userId":"u_old","calls":1,"microNeurons":9302396}');
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('user_day', '0024430|0001', 9, 1, '{"day":24430,"slot":1,"userId":"u_one","calls":2,"microNeurons":9530451}');
INSERT INTO report_rows (kind, key, sequence, waiting, body) VALUES ('user_day', '0024430|0002', 10, 1, '{"day":24430,"slot":2,"userId":"","calls":1,"microNeurons":57600000}');
INSERT INTO report_users (day, user_id, slot) VALUES (24390, 'u_old', 1);
INSERT INTO report_users (day, user_id, slot) VALUES (24430, 'u_one', 1);
INSERT INTO leases (day, granted, deadline_ms, seq, told_at_ms, refused) VALUES (24430, 200000000, 2110802919412, 2, 2110802619412, NULL);
INSERT INTO account_view (only_row, notice, is_pooled, news) VALUES (1, 1, 1, NULL);
INSERT INTO keys (id, secret_hash, name, role, prefix, created_at_ms, expires_at_ms, ended, last_used_day) VALUES ('key_01XAKTAQ9MJEV3YX26RCQ0WBNJ', 'd6f5c35b8852b36d175c17d8da57b16551df2037904e60c305cadab9c5843a88', NULL, 'manage', 'vW4C', 2107346607412, NULL, 0, 24430);
INSERT INTO keys (id, secret_hash, name, role, prefix, created_at_ms, expires_at_ms, ended, last_used_day) VALUES ('key_01XDTT7F9M1WS8B26EC0QA60R4', 'fdb8dc7f724edb66f744aa7519d6532f7b0c2d7f7f423690ed35685079bab329', 'second', 'review', 'whLB', 2110802607412, NULL, 0, NULL);
