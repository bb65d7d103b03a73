CREATE TABLE workspaces (
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    personal boolean NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE memberships (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('OWNER', 'EDITOR', 'VIEWER')),
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

INSERT INTO workspaces (id, name, personal, created_at) SELECT id, name, true, created_at FROM users;
INSERT INTO memberships (workspace_id, user_id, role) SELECT id, id, 'OWNER' FROM users;

ALTER TABLE services RENAME COLUMN user_id TO workspace_id;
ALTER TABLE services DROP CONSTRAINT services_user_id_fkey;
ALTER TABLE services ADD CONSTRAINT services_workspace_id_fkey
    FOREIGN KEY (workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE;
ALTER INDEX services_user RENAME TO services_workspace;

ALTER TABLE incidents RENAME COLUMN user_id TO workspace_id;
ALTER TABLE incidents DROP CONSTRAINT incidents_user_id_fkey;
ALTER TABLE incidents ADD CONSTRAINT incidents_workspace_id_fkey
    FOREIGN KEY (workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE;
ALTER INDEX incidents_user RENAME TO incidents_workspace;
ALTER INDEX incidents_user_open RENAME TO incidents_workspace_open;

-- A token ends together with the membership that it acts by.
ALTER TABLE api_tokens ADD COLUMN workspace_id uuid;
UPDATE api_tokens SET workspace_id = user_id;
ALTER TABLE api_tokens ALTER COLUMN workspace_id SET NOT NULL;
ALTER TABLE api_tokens ADD CONSTRAINT api_tokens_membership_fkey
    FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id) ON DELETE CASCADE;
CREATE INDEX api_tokens_membership ON api_tokens (workspace_id, user_id);

ALTER TABLE calendar_feeds RENAME COLUMN user_id TO workspace_id;
ALTER TABLE calendar_feeds DROP CONSTRAINT calendar_feeds_user_id_fkey;
ALTER TABLE calendar_feeds ADD CONSTRAINT calendar_feeds_workspace_id_fkey
    FOREIGN KEY (workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE;

ALTER TABLE service_tags ADD COLUMN workspace_id uuid;
UPDATE service_tags SET workspace_id = services.workspace_id FROM services WHERE services.id = service_id;
ALTER TABLE service_tags ALTER COLUMN workspace_id SET NOT NULL;
ALTER TABLE service_tags ADD CONSTRAINT service_tags_workspace_id_fkey
    FOREIGN KEY (workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE;
DROP INDEX service_tags_tag;
CREATE INDEX service_tags_workspace_tag ON service_tags (workspace_id, tag);
