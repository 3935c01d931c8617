package seal_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/servertest"
)

// TestDeniedRole is row 72 on PostgreSQL, as docs/running.md has it: the product works with a role that may neither change
// nor delete events and seals.
func TestDeniedRole(t *testing.T) {
	in := servertest.OnPostgres(t)
	address, err := url.Parse(in.URL)
	if err != nil {
		t.Fatal(err)
	}
	role := strings.TrimPrefix(address.Path, "/") + "_service"
	address.User = url.UserPassword(role, "secret")
	in.Change("CREATE ROLE " + role + " LOGIN PASSWORD 'secret'")
	t.Cleanup(func() { // after the server that uses it has ended, so on a connection of its own
		owner := in.Instances[0]
		in.Instances = []*servertest.Instance{owner}
		in.Change("DROP OWNED BY " + role)
		in.Change("DROP ROLE " + role)
	})
	for _, statement := range []string{
		"GRANT USAGE ON SCHEMA public TO " + role,
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO " + role,
		"REVOKE UPDATE, DELETE ON events, seal_leaves, seal_hashes, seal_heads FROM " + role,
	} {
		in.Change(statement)
	}
	in.URL = address.String()
	service := in.Another()
	owner := in.Instances[0]
	in.Instances = []*servertest.Instance{service}

	ada := in.Protected("ada@example.test", "administrator")
	boss := in.SignedIn("ada@example.test", ada, servertest.Firefox)
	if n := all(t, service.Seals); n < 8 {
		t.Errorf("%d were sealed", n)
	}
	if _, err := service.RotateKey(t.Context(), func(int, int) {}); err != nil {
		t.Error(err)
	}
	if _, err := service.Upkeep.Once(t.Context()); err != nil {
		t.Error(err)
	}
	all(t, service.Seals)
	boss.Do("GET", "/api/v1/audit", nil).Want(http.StatusOK)
	boss.Do("GET", "/api/v1/audit/checkpoint", nil).Want(http.StatusOK)
	sound(t, service.Seals, len(ids(in)))
	for _, table := range []string{"events", "seal_leaves", "seal_hashes", "seal_heads"} {
		for _, statement := range []string{"DELETE FROM " + table, "TRUNCATE " + table, "UPDATE " + table + " SET " + in.Column(
			"SELECT column_name FROM information_schema.columns WHERE table_name = ? ORDER BY ordinal_position", table)[0] + " = NULL"} {
			err := service.Database.Write(t.Context(), func(ctx context.Context, tx database.Tx) error {
				_, err := tx.NewRaw(statement).Exec(ctx)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "permission denied") {
				t.Errorf("%s: %v", statement, err)
			}
		}
	}
	in.Instances = []*servertest.Instance{owner, service}
	service.Stop()
}
