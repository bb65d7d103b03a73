CREATE TABLE users (
    id uuid NOT NULL PRIMARY KEY,
    email text NOT NULL,
    email_verified boolean NOT NULL DEFAULT false,
    name text NOT NULL,
    avatar_url text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX users_email ON users (email);

CREATE TABLE identities (
    provider text NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email text NOT NULL,
    email_verified boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE sessions (
    id uuid NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE,
    previous_token_hash bytea UNIQUE,
    rotated_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    user_agent text,
    address text
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE api_tokens (
    id uuid NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    read_only boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    expires_at timestamptz
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);

CREATE TABLE login_links (
    token_hash bytea NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE status_pages (
    id uuid NOT NULL PRIMARY KEY,
    key text NOT NULL UNIQUE,
    url text,
    name text,
    provider text,
    api_urls jsonb NOT NULL,
    user_defined boolean NOT NULL DEFAULT false,
    fetched_at timestamptz,
    attempted_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    message text,
    validators jsonb,
    detected_at timestamptz,
    created_at timestamptz NOT NULL
);

CREATE TABLE status_page_components (
    status_page_id uuid NOT NULL REFERENCES status_pages (id) ON DELETE CASCADE,
    component_id text NOT NULL,
    name text NOT NULL,
    group_name text,
    position integer NOT NULL,
    status smallint NOT NULL,
    vendor_status text NOT NULL,
    missing boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (status_page_id, component_id)
);

CREATE TABLE vendor_incidents (
    status_page_id uuid NOT NULL REFERENCES status_pages (id) ON DELETE CASCADE,
    incident_id text NOT NULL,
    name text NOT NULL,
    impact text NOT NULL,
    status text NOT NULL,
    started_at timestamptz,
    resolved_at timestamptz,
    url text,
    component_ids jsonb NOT NULL,
    updates jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (status_page_id, incident_id)
);
CREATE INDEX vendor_incidents_active ON vendor_incidents (status_page_id) WHERE resolved_at IS NULL;

CREATE TABLE vendor_maintenances (
    status_page_id uuid NOT NULL REFERENCES status_pages (id) ON DELETE CASCADE,
    maintenance_id text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    scheduled_for timestamptz,
    scheduled_until timestamptz,
    url text,
    component_ids jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (status_page_id, maintenance_id)
);

-- services stand here
CREATE INDEX services_user ON services (user_id, name);
CREATE INDEX services_status_page ON services (status_page_id);

CREATE TABLE service_components (
    service_id uuid NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    component_id text NOT NULL,
    name text NOT NULL,
    group_name text,
    position integer NOT NULL,
    missing boolean NOT NULL DEFAULT false,
    PRIMARY KEY (service_id, component_id)
);

CREATE TABLE incidents (
    id uuid NOT NULL PRIMARY KEY,
    service_id uuid NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('downtime', 'degraded')),
    started_at timestamptz NOT NULL,
    resolved_at timestamptz,
    checks_failed integer NOT NULL,
    cause text,
    CHECK (resolved_at IS NULL OR resolved_at >= started_at)
);
CREATE UNIQUE INDEX incidents_one_open ON incidents (service_id) WHERE resolved_at IS NULL;
CREATE INDEX incidents_service ON incidents (service_id, started_at DESC, id DESC);
CREATE INDEX incidents_user ON incidents (user_id, started_at DESC, id DESC);
CREATE INDEX incidents_user_open ON incidents (user_id) WHERE resolved_at IS NULL;

CREATE TABLE incident_events (
    id uuid NOT NULL PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    message text NOT NULL
);
CREATE INDEX incident_events_incident ON incident_events (incident_id, at, id);

CREATE TABLE service_state (
    service_id uuid NOT NULL PRIMARY KEY REFERENCES services (id) ON DELETE CASCADE,
    status smallint NOT NULL,
    since timestamptz NOT NULL,
    last_slot timestamptz,
    checked_at timestamptz,
    status_code integer,
    response_time_ms integer,
    dns_ms integer,
    connect_ms integer,
    tls_ms integer,
    first_byte_ms integer,
    certificate_expires_at timestamptz,
    message text,
    failing_checks integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    down_checks integer NOT NULL DEFAULT 0,
    down_since timestamptz,
    open_incident_id uuid REFERENCES incidents (id) ON DELETE SET NULL,
    open_incident_type text
);

