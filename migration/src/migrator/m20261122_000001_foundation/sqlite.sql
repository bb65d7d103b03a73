CREATE TABLE services (
    number integer PRIMARY KEY AUTOINCREMENT,
    id blob NOT NULL UNIQUE,
    user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    category text,
    kind text NOT NULL CHECK (kind IN ('http', 'status_page')),
    paused boolean NOT NULL DEFAULT false,
    url text,
    status_page_url text,
    status_page_id blob REFERENCES status_pages (id) ON DELETE SET NULL,
    check_interval_seconds integer NOT NULL DEFAULT 30 CHECK (check_interval_seconds > 0),
    timeout_ms integer NOT NULL DEFAULT 5000 CHECK (timeout_ms > 0),
    degraded_threshold_ms integer NOT NULL DEFAULT 1000 CHECK (degraded_threshold_ms > 0),
    expected_status text NOT NULL DEFAULT '200-299',
    confirmations integer NOT NULL DEFAULT 2 CHECK (confirmations > 0),
    created_at text NOT NULL,
    updated_at text NOT NULL
);

-- The rows live in the key's own tree, which saves a second copy of the key.
CREATE TABLE checks (
    service_number integer NOT NULL REFERENCES services (number) ON DELETE CASCADE,
    slot integer NOT NULL,
    delay_ms integer NOT NULL,
    interval_seconds integer NOT NULL,
    response_time_ms integer,
    status integer NOT NULL,
    status_code integer,
    message text,
    PRIMARY KEY (service_number, slot)
) WITHOUT ROWID;

CREATE TABLE check_rollups (
    service_number integer NOT NULL REFERENCES services (number) ON DELETE CASCADE,
    period integer NOT NULL,
    start integer NOT NULL,
    up_ms integer NOT NULL,
    degraded_ms integer NOT NULL,
    down_ms integer NOT NULL,
    maintenance_ms integer NOT NULL,
    checks integer NOT NULL,
    failed integer NOT NULL,
    max_response_time_ms integer,
    latency blob NOT NULL,
    PRIMARY KEY (service_number, period, start)
) WITHOUT ROWID;
CREATE INDEX check_rollups_time ON check_rollups (period, start);
