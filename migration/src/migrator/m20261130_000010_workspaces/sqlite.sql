CREATE TABLE workspaces (
    id blob NOT NULL PRIMARY KEY,
    name text NOT NULL,
    personal boolean NOT NULL,
    created_at text NOT NULL
);

CREATE TABLE memberships (
    workspace_id blob NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('OWNER', 'EDITOR', 'VIEWER')),
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

INSERT INTO workspaces (id, name, personal, created_at) SELECT id, name, true, created_at FROM users;
INSERT INTO memberships (workspace_id, user_id, role) SELECT id, id, 'OWNER' FROM users;

-- SQLite cannot add a column that is both NOT NULL and a foreign key, and dropping a table that
-- others refer to would delete their rows. So the column may be null, and a trigger refuses it.
DROP INDEX services_user;
ALTER TABLE services ADD COLUMN workspace_id blob REFERENCES workspaces (id) ON DELETE CASCADE;
UPDATE services SET workspace_id = user_id;
ALTER TABLE services DROP COLUMN user_id;
CREATE INDEX services_workspace ON services (workspace_id, name);
CREATE TRIGGER services_workspace_required BEFORE INSERT ON services WHEN NEW.workspace_id IS NULL
BEGIN
    SELECT RAISE(ABORT, 'NOT NULL constraint failed: services.workspace_id');
END;

DROP INDEX incidents_user;
DROP INDEX incidents_user_open;
ALTER TABLE incidents ADD COLUMN workspace_id blob REFERENCES workspaces (id) ON DELETE CASCADE;
UPDATE incidents SET workspace_id = user_id;
ALTER TABLE incidents DROP COLUMN user_id;
CREATE INDEX incidents_workspace ON incidents (workspace_id, started_at DESC, id DESC);
CREATE INDEX incidents_workspace_open ON incidents (workspace_id) WHERE resolved_at IS NULL;
CREATE TRIGGER incidents_workspace_required BEFORE INSERT ON incidents WHEN NEW.workspace_id IS NULL
BEGIN
    SELECT RAISE(ABORT, 'NOT NULL constraint failed: incidents.workspace_id');
END;

-- Nothing refers to the tables below, so they are built anew.
CREATE TABLE new_api_tokens (
    id blob NOT NULL PRIMARY KEY,
    workspace_id blob NOT NULL,
    user_id blob NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    token_hash blob NOT NULL UNIQUE,
    read_only boolean NOT NULL DEFAULT false,
    created_at text NOT NULL,
    last_used_at text,
    expires_at text,
    -- A token ends together with the membership that it acts by.
    FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id) ON DELETE CASCADE
);
INSERT INTO new_api_tokens
    (id, workspace_id, user_id, name, token_hash, read_only, created_at, last_used_at, expires_at)
    SELECT id, user_id, user_id, name, token_hash, read_only, created_at, last_used_at, expires_at FROM api_tokens;
DROP TABLE api_tokens;
ALTER TABLE new_api_tokens RENAME TO api_tokens;
CREATE INDEX api_tokens_user ON api_tokens (user_id);
CREATE INDEX api_tokens_membership ON api_tokens (workspace_id, user_id);

CREATE TABLE new_calendar_feeds (
    workspace_id blob NOT NULL PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
    secret_hash blob NOT NULL UNIQUE,
    created_at text NOT NULL,
    last_read_at text
);
INSERT INTO new_calendar_feeds (workspace_id, secret_hash, created_at, last_read_at)
    SELECT user_id, secret_hash, created_at, last_read_at FROM calendar_feeds;
DROP TABLE calendar_feeds;
ALTER TABLE new_calendar_feeds RENAME TO calendar_feeds;

CREATE TABLE new_service_tags (
    workspace_id blob NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    service_id blob NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    tag text NOT NULL,
    PRIMARY KEY (service_id, tag)
);
INSERT INTO new_service_tags (workspace_id, service_id, tag)
    SELECT services.workspace_id, service_id, tag FROM service_tags JOIN services ON services.id = service_id;
DROP TABLE service_tags;
ALTER TABLE new_service_tags RENAME TO service_tags;
CREATE INDEX service_tags_workspace_tag ON service_tags (workspace_id, tag);
