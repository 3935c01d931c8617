package database

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"

	"github.com/uptrace/bun"
)

func TestNumbered(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1":                         "SELECT 1",
		"a = ? AND b = ?":                  "a = $1 AND b = $2",
		"a = '?' AND b = ?":                "a = '?' AND b = $1",
		`"a?" = ? AND b = 'it''s ?'`:       `"a?" = $1 AND b = 'it''s ?'`,
		"(?,?,?,?,?,?,?,?,?,?,?)":          "($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)",
		"name = 'Zoë' AND note = 'x' || ?": "name = 'Zoë' AND note = 'x' || $1",
	} {
		if got := Prepare(text).numbered; got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

var (
	addApp  = Prepare("INSERT INTO totp_apps (id, user_id, name, label, secret, last_used_at, added_at) VALUES (?, ?, ?, ?, ?, ?, ?)")
	readApp = Prepare("SELECT name, secret, last_used_at, added_at FROM totp_apps WHERE id = ?")
	apps    = Prepare("SELECT id FROM totp_apps WHERE user_id = ? ORDER BY id")
)

func addPerson(t *testing.T, d *Database, id string) {
	t.Helper()
	if err := d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO users (id, name, email, email_key, sort_name, role, password_hash, password_changed_at, created_at) VALUES (?0, 'Ada', ?0, ?0, ?1, 'member', '', 1, 1)", id, []byte(id))
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestStatement(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		addPerson(t, d, "ada")
		secret := []byte{0, 1, 0xff, '\''}
		const name = `O'Hara "?" \ $1 é`
		if err := d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
			if _, err := addApp.Exec(ctx, tx, "1", "ada", name, "label", secret, At(tx.Now).OrNull(), 7); err != nil {
				return err
			}
			if _, err := addApp.Exec(ctx, tx, "2", "ada", "", "label", secret, Instant(0).OrNull(), At(tx.Now)); err != nil {
				return err
			}
			var got string
			return readApp.Scan(ctx, tx, Args{"1"}, &got, new([]byte), new(Instant), new(Instant)) // sees its own rows
		}); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{"1": name, "2": ""} {
			var got string
			var bytesGot []byte
			var used, added Instant
			if err := readApp.Scan(t.Context(), d.Read(), Args{id}, &got, &bytesGot, &used, &added); err != nil {
				t.Fatal(err)
			}
			if got != want || !bytes.Equal(bytesGot, secret) || used.IsZero() != (id == "2") || added.IsZero() {
				t.Errorf("%s: %q %x %d %d", id, got, bytesGot, used, added)
			}
		}
		rows, err := apps.Query(t.Context(), d.Read(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		if err := d.Read().(*reads).IDB.(*bun.DB).ScanRows(t.Context(), rows, &ids); err != nil || len(ids) != 2 || rows.Err() != nil {
			t.Errorf("%v, %v, %v", ids, err, rows.Err())
		}
		if err := readApp.Scan(t.Context(), d.Read(), Args{"3"}, new(string), new([]byte), new(Instant), new(Instant)); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("no row: %v", err)
		}
	})
}

// Bun's models and a Statement must agree on what the columns hold.
func TestModel(t *testing.T) {
	type app struct {
		bun.BaseModel `bun:"table:totp_apps"`
		ID            string `bun:",pk"`
		UserID        string
		Name          string
		Label         string
		Secret        []byte
		LastStep      int64
		LastUsedAt    Instant `bun:",nullzero"`
		AddedAt       Instant
	}
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		addPerson(t, d, "ada")
		want := app{ID: "1", UserID: "ada", Name: `O'Hara "?" \ é`, Secret: []byte{0, 1, 0xff}, AddedAt: 7}
		if err := d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
			_, err := tx.NewInsert().Model(&want).Exec(ctx)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var got app
		if err := d.Read().NewSelect().Model(&got).Where("id = ?", "1").Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got.Name != want.Name || !bytes.Equal(got.Secret, want.Secret) || got.LastUsedAt != 0 || got.AddedAt != 7 {
			t.Errorf("got %+v", got)
		}
		var secret []byte
		var used sql.NullInt64
		if err := readApp.Scan(t.Context(), d.Read(), Args{"1"}, new(string), &secret, &used, new(Instant)); err != nil || used.Valid || !bytes.Equal(secret, want.Secret) {
			t.Errorf("by statement: %x %v %v", secret, used, err)
		}
	})
}

// A NUL breaks the text that Bun writes, and PostgreSQL stores none: it is a fault, never
// a shorter or another text.
func TestNULIsAFault(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		for _, bad := range []string{"a\x00b", "a\x00'); DROP TABLE jobs; --", "\x00"} {
			for how, exec := range map[string]func(context.Context, Tx) error{
				"Bun": func(ctx context.Context, tx Tx) error {
					_, err := tx.ExecContext(ctx, "INSERT INTO jobs (name, next_at) VALUES (?, 1)", bad)
					return err
				},
				"a model": func(ctx context.Context, tx Tx) error {
					row := struct {
						bun.BaseModel `bun:"table:jobs"`
						Name          string
						NextAt        int64
					}{Name: bad, NextAt: 1}
					_, err := tx.NewInsert().Model(&row).Exec(ctx)
					return err
				},
				"a statement": func(ctx context.Context, tx Tx) error {
					_, err := addJob.Exec(ctx, tx, bad, 1)
					return err
				},
			} {
				if err := d.Write(t.Context(), exec); err == nil {
					t.Errorf("%s took %q", how, bad)
				}
			}
		}
		if err := d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
			_, err := addJob.Exec(ctx, tx, "not \xff UTF-8", 1)
			return err
		}); err == nil {
			t.Error("text that is not UTF-8")
		}
		var n int
		if err := d.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM jobs").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows, %v", n, err)
		}
	})
}

func TestStatementElsewhereIsAFault(t *testing.T) {
	d := opened(t, sqliteOptions(t), defaults)
	if err := countJob.Scan(t.Context(), d.Read().(*reads).IDB, Args{"x"}, new(int)); err == nil {
		t.Error("it ran on a bare connection")
	}
}

// Statements first used by many transactions at once must not wait for each other's
// connections, nor be spoilt by the end of one caller's context.
func TestStatementsPreparedAtOnce(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		limits := defaults
		limits.connections = 2
		d := opened(t, options, limits)
		for range 10 {
			s := Prepare("UPDATE jobs SET next_at = 1 WHERE name = ?")
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					ctx, cancel := context.WithCancel(context.Background())
					if err := d.Write(ctx, func(ctx context.Context, tx Tx) error {
						cancel()
						_, err := s.Exec(ctx, tx, "a")
						return err
					}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		}
	})
}

func TestInstant(t *testing.T) {
	if At(Instant(0).Time()) != 0 || !Instant(0).Time().IsZero() {
		t.Error("never is not the zero time")
	}
	if i := Instant(1_790_000_000_123); At(i.Time()) != i || i.Time().Location().String() != "UTC" || i.IsZero() {
		t.Error("an instant is not its time")
	}
	var i Instant = 5
	if err := i.Scan(nil); err != nil || i != 0 {
		t.Error("NULL is not zero")
	}
	if err := i.Scan("text"); err == nil {
		t.Error("text is an instant")
	}
}
