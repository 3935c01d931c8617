package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

// raw is a bare pool on the options' database and the lock that belongs to it.
func raw(t *testing.T, options Options) (*sql.DB, locker) {
	t.Helper()
	var db *sql.DB
	var locker locker = fileLock{options.Folder}
	var err error
	if options.URL == "" {
		db, err = sql.Open("sqlite", sqliteDSN(options.Folder+"/secondstep.db", defaults))
	} else {
		locker = advisoryLock{}
		db, err = sql.Open("pg", options.URL)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, locker
}

func file(statements ...string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("-- +goose Up\n" + strings.Join(statements, ";\n") + ";\n")}
}

func version(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT MAX(version_id) FROM " + versions).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestManyOpenAtOnce(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				d, err := Open(context.Background(), options)
				if err != nil {
					t.Error(err)
					return
				}
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		d := opened(t, options, defaults)
		var rows, different int
		if err := d.Read().QueryRowContext(t.Context(), "SELECT count(*), count(DISTINCT version_id) FROM "+versions).Scan(&rows, &different); err != nil || rows != different || rows < 2 {
			t.Errorf("%d rows of %d versions, %v", rows, different, err)
		}
		if err := d.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM installation").Scan(&rows); err != nil || rows != 1 {
			t.Errorf("%d installations, %v", rows, err)
		}
	})
}

// The same with processes: this test's own program, run as several.
func TestProcessesOpenAtOnce(t *testing.T) {
	const variable = "DATABASE_TEST_OPEN"
	if place := os.Getenv(variable); place != "" {
		options := Options{Now: time.Now, Random: rand.Reader, Folder: place}
		if strings.HasPrefix(place, "postgres://") {
			options.URL = place
		}
		d := opened(t, options, defaults)
		if err := d.Write(t.Context(), insert(fmt.Sprint(os.Getpid()), nil)); err != nil {
			t.Fatal(err)
		}
		return
	}
	both(t, func(t *testing.T, options Options) {
		place := options.URL
		if place == "" {
			place = options.Folder
		}
		const n = 4
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				process := exec.Command(os.Args[0], "-test.run=^TestProcessesOpenAtOnce$")
				process.Env = append(os.Environ(), variable+"="+place)
				if printed, err := process.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, printed)
				}
			})
		}
		all.Wait()
		d := opened(t, options, defaults)
		var rows int
		if err := d.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM jobs").Scan(&rows); err != nil || rows != n {
			t.Errorf("%d wrote, %v", rows, err)
		}
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d, err := Open(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		db, _ := raw(t, options)
		known := version(t, db)
		if _, err := db.Exec(fmt.Sprintf("INSERT INTO %s (version_id, is_applied) VALUES (%d, TRUE)", versions, known+1)); err != nil {
			t.Fatal(err)
		}
		_, err = Open(t.Context(), options)
		var tooNew *SchemaTooNew
		if !errors.As(err, &tooNew) || tooNew.Found != int64(known+1) || tooNew.Known != int64(known) {
			t.Fatalf("got %v", err)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %q", err)
		}
		// The refusal let its lock go.
		if _, err := db.Exec(fmt.Sprintf("DELETE FROM %s WHERE version_id = %d", versions, known+1)); err != nil {
			t.Fatal(err)
		}
		opened(t, options, defaults)
	})
}

// A migration and its version row are one transaction: what fails midway, or is killed
// there, has not begun.
func TestMigrationIsAllOrNothing(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		db, locker := raw(t, options)
		files := fstest.MapFS{
			"0001_good.sql": file("CREATE TABLE one (id BIGINT)"),
			"0002_bad.sql":  file("CREATE TABLE two (id BIGINT)", "INSERT INTO one VALUES (2)", "INSERT INTO nowhere VALUES (1)"),
		}
		if err := migrateTo(t.Context(), db, files, locker, slog.New(slog.DiscardHandler)); err == nil {
			t.Fatal("no error")
		}
		if v := version(t, db); v != 1 {
			t.Errorf("version %d", v)
		}
		var n int
		if err := db.QueryRow("SELECT count(*) FROM one").Scan(&n); err != nil || n != 0 {
			t.Errorf("half of it is there: %d, %v", n, err)
		}
		files["0002_bad.sql"] = file("CREATE TABLE two (id BIGINT)", "INSERT INTO one VALUES (2)")
		if err := migrateTo(t.Context(), db, files, locker, slog.New(slog.DiscardHandler)); err != nil || version(t, db) != 2 {
			t.Errorf("mended: %v", err)
		}
	})
}

// A version row that cannot be written takes the migration with it.
func TestVersionRowIsInTheMigrationsTransaction(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		db, locker := raw(t, options)
		files := fstest.MapFS{
			"0001_good.sql": file("CREATE TABLE one (id BIGINT)"),
			"0002_self.sql": file("CREATE TABLE two (id BIGINT)", "DROP TABLE "+versions),
		}
		if err := migrateTo(t.Context(), db, files, locker, slog.New(slog.DiscardHandler)); err == nil {
			t.Fatal("no error")
		}
		if v := version(t, db); v != 1 {
			t.Errorf("version %d", v)
		}
		if _, err := db.Exec("SELECT 1 FROM two"); err == nil {
			t.Error("the migration is there without its version")
		}
	})
}

// The text must mean the same to both databases, so it names no type or function that
// only one of them knows.
func TestMigrationsSpeakToBoth(t *testing.T) {
	entries, err := embedded.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range entries {
		if !strings.HasPrefix(entry.Name(), fmt.Sprintf("%04d_", i+1)) {
			t.Errorf("%s is not the %dth", entry.Name(), i+1)
		}
		text, err := embedded.ReadFile("migrations/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"AUTOINCREMENT", "SERIAL", "IDENTITY", "TIMESTAMP", "VARCHAR", "BLOB", "JSON", "WITHOUT ROWID", "STRICT", "+goose Down", "NO TRANSACTION", "now()"} {
			if strings.Contains(strings.ToUpper(string(text)), strings.ToUpper(word)) {
				t.Errorf("%s says %s", entry.Name(), word)
			}
		}
	}
}

// What a migration makes of rows that were there before it is right for them, too.
func TestMigrationsFillWhatTheyAdd(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		db, locker := raw(t, options)
		names, err := fs.Glob(embedded, "migrations/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		before := fstest.MapFS{}
		for _, name := range names[:24] {
			text, err := embedded.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			before[strings.TrimPrefix(name, "migrations/")] = &fstest.MapFile{Data: text}
		}
		if err := migrateTo(t.Context(), db, before, locker, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			"INSERT INTO users (id, name, email, email_key, sort_name, role, password_hash, password_changed_at, created_at) VALUES ('1', 'Ada', 'Ada@a.test', 'ada@a.test', 'ada', 'member', '', 1, 1)",
			"INSERT INTO users (id, name, email, email_key, sort_name, role, password_hash, password_changed_at, created_at, mfa_since) VALUES ('2', 'Bo', 'bo@a.test', 'bo@a.test', 'bo', 'member', '', 1, 1, 1)",
			"INSERT INTO users (id, name, email, email_key, sort_name, role, password_hash, password_changed_at, created_at, mfa_since) VALUES ('3', 'Cy', 'cy@a.test', 'cy@a.test', 'cy', 'member', '', 1, 1, 1)",
			"INSERT INTO users (id, name, email, email_key, sort_name, role, password_hash, password_changed_at, created_at, mfa_since) VALUES ('4', 'Dí', 'di@a.test', 'di@a.test', 'di', 'member', '', 1, 1, 1)",
			// Bo has used seven of ten backup codes, and Di six. Cy has none any more: of the ones that were replaced, none is good.
			"INSERT INTO backup_code_sets (id, user_id, session_id, state, created_at) SELECT id, id, '', 'active', 1 FROM users WHERE id IN ('2', '4')",
			`INSERT INTO backup_codes (id, set_id, user_id, position, selector, hash, used_at)
				SELECT u.id || '-' || n.n, u.id, u.id, n.n, 'A' || n.n, '', CASE WHEN n.n <= CASE u.id WHEN '2' THEN 7 ELSE 6 END THEN 1 END
				FROM users AS u JOIN backup_code_sets AS s ON s.user_id = u.id,
				(SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL
				SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9 UNION ALL SELECT 10) AS n`,
			"INSERT INTO backup_code_sets (id, user_id, session_id, state, created_at, retired_at) SELECT 'old-' || id, id, '', 'retired', 1, 1 FROM users WHERE id IN ('2', '3')",
			`INSERT INTO backup_codes (id, set_id, user_id, position, selector, hash)
				SELECT s.id || '-' || n.n, s.id, s.user_id, n.n, 'B' || n.n, '' FROM backup_code_sets AS s,
				(SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) AS n WHERE s.state = 'retired'`,
		} {
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		// Of words with 40 in them none is taken for an address, whose @ has that number.
		for _, term := range []string{"ada40", "d@t", "1é@b.test", "4040"} {
			text := "INSERT INTO user_terms (term, user_id) VALUES (?, '1')"
			if options.URL != "" {
				text = numbered(text)
			}
			if _, err := db.Exec(text, []byte(term)); err != nil {
				t.Fatal(err)
			}
		}
		d := opened(t, options, defaults)
		var found int
		err = d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM user_terms AS t JOIN users AS u ON u.id = t.user_id
			WHERE t.sort_name = u.sort_name AND t.email_key = u.email_key AND t.address = (t.term IN (?, ?))`, []byte("d@t"), []byte("1é@b.test")).Scan(&found)
		if err != nil || found != 4 {
			t.Errorf("the places of %d terms are right, %v", found, err)
		}
		var people, protected int
		err = d.Read().QueryRowContext(t.Context(), "SELECT SUM(people), SUM(protected) FROM people_tally").Scan(&people, &protected)
		if err != nil || people != 4 || protected != 3 {
			t.Errorf("%d people, %d protected, %v", people, protected, err)
		}
		var accented string
		err = d.Read().QueryRowContext(t.Context(), "SELECT user_id FROM people_to_index").Scan(&accented)
		if err != nil || accented != "4" {
			t.Errorf("of those with accents %s waits to be indexed, %v", accented, err)
		}
		var few string
		err = d.Read().QueryRowContext(t.Context(), "SELECT MIN(id) || ' to ' || MAX(id) FROM users WHERE few_codes").Scan(&few)
		if err != nil || few != "2 to 3" {
			t.Errorf("few backup codes have those from %s, %v", few, err)
		}
	})
}
