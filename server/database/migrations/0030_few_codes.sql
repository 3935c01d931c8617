-- Whoever has few backup codes left, or none any more, stands in the list as everybody else does: by an index in its
-- order, and not by counting every code that anybody has used.

-- +goose Up
ALTER TABLE users ADD COLUMN few_codes BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE users SET few_codes = TRUE WHERE mfa_since IS NOT NULL AND 4 >
    (SELECT COUNT(*) FROM backup_code_sets AS s JOIN backup_codes AS c ON c.set_id = s.id
     WHERE s.user_id = users.id AND s.state = 'active' AND c.used_at IS NULL);
CREATE INDEX users_few_codes_by_name ON users (sort_name, id) WHERE few_codes AND mfa_since IS NOT NULL AND disabled_at IS NULL;
CREATE INDEX users_few_codes_by_email ON users (email_key) WHERE few_codes AND mfa_since IS NOT NULL AND disabled_at IS NULL;
DROP INDEX backup_codes_used;
