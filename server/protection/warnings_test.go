package protection_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

const warningsPath = "/api/v1/protection/warnings"

// TestWarnings brings each of them about and sees to it again.
func TestWarnings(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		app := in.Protected("boss@example.test", "administrator")
		boss := in.SignedIn("boss@example.test", app, servertest.Firefox)
		expect := func(want ...string) {
			t.Helper()
			var found []string
			for _, one := range boss.Do("GET", warningsPath, nil).Want(http.StatusOK).Body["warnings"].([]any) {
				warning := one.(map[string]any)
				found = append(found, fmt.Sprint(warning["kind"], " ", warning["count"]))
			}
			if fmt.Sprint(found) != fmt.Sprint(want) {
				t.Errorf("%v, want %v", found, want)
			}
		}
		expect("key_not_kept 1", "single_administrator 1", "no_mail_server 1")

		// Who is invited, or disabled, helps nobody.
		in.AddPerson("Gone", "gone@example.test", "administrator")
		in.Change("UPDATE users SET disabled_at = 1 WHERE email = 'gone@example.test'")
		boss.Do("POST", "/api/v1/users", map[string]any{"name": "Nia", "email": "nia@example.test", "role": "administrator"}).Want(http.StatusCreated)
		expect("key_not_kept 1", "single_administrator 1", "no_mail_server 1")
		in.AddPerson("Second", "second@example.test", "administrator")
		expect("key_not_kept 1", "unprotected_administrators 1", "no_mail_server 1")

		in.Change("UPDATE installation SET mails = TRUE")
		expect("key_not_kept 1", "unprotected_administrators 1")
		in.Change("UPDATE users SET mfa_since = 1 WHERE email = 'second@example.test'")
		expect("key_not_kept 1")

		key := boss.Do("GET", "/api/v1/settings", nil).Want(http.StatusOK).Body["key"].(map[string]any)["id"]
		boss.Do("POST", "/api/v1/settings/key-kept-elsewhere", map[string]any{"key": key}).Want(http.StatusOK)
		expect()

		// Mails that were given up lately, and only those.
		for id, day := range map[string]int{"01A": 1, "01B": 6, "01C": 8} {
			in.Change(`INSERT INTO outbox (id, user_id, address, name, kind, facts, at, created_at, due_at, next_at, given_up_at)
				VALUES (?, '01P', 'x@example.test', 'X', 'new_browser', '{}', 1, ?, 1, 1, ?)`,
				id, in.Clock.Now().UnixMilli(), in.Clock.Now().AddDate(0, 0, -day).UnixMilli())
		}
		expect("mails_given_up 2")
		in.Clock.Advance(time.Minute)

		mia := in.AddPerson("Mia", "mia@example.test", "member")
		member := in.Browser(servertest.Firefox)
		member.Password("mia@example.test").Want(http.StatusOK)
		member.Do("GET", warningsPath, nil).Refused(http.StatusForbidden, "not_permitted")

		// Each person who pressed "This wasn't me" once, whoever asks not, for a week.
		in.Change("DELETE FROM outbox")
		boss.Do("POST", servertest.Security+"/not-me", nil).Want(http.StatusOK)
		expect()
		for range 2 {
			member.Do("POST", servertest.Security+"/not-me", nil).Want(http.StatusOK)
		}
		expect("alarms_raised 1")
		in.Change("UPDATE users SET disabled_at = 1 WHERE id = ?", mia)
		expect()
		in.Change("UPDATE users SET disabled_at = NULL WHERE id = ?", mia)
		for _, one := range []struct {
			later time.Duration
			told  []string
		}{{7*24*time.Hour - time.Minute, []string{"alarms_raised 1"}}, {time.Minute, nil}} {
			in.Clock.Advance(one.later)
			boss = in.SignedIn("boss@example.test", app, servertest.Firefox)
			expect(one.told...)
		}
	})
}

// TestABackupWithItsKeysIsACopyOfThem: who keeps such a file is warned of nothing, until the key is another one.
func TestABackupWithItsKeysIsACopyOfThem(t *testing.T) {
	in := servertest.OnSQLite(t)
	boss := in.SignedIn("boss@example.test", in.Protected("boss@example.test", "administrator"), servertest.Firefox)
	kept := func() any {
		return boss.Do("GET", "/api/v1/settings", nil).Want(http.StatusOK).Body["key"].(map[string]any)["kept_elsewhere_at"]
	}
	if _, err := in.First().Backup(t.Context(), t.TempDir()+"/without", false); err != nil || kept() != nil {
		t.Errorf("%v: %v", kept(), err)
	}
	if _, err := in.First().Backup(t.Context(), t.TempDir()+"/with", true); err != nil || kept() == nil {
		t.Errorf("%v: %v", kept(), err)
	}
	if got := in.Column("SELECT count(*) FROM events WHERE kind = 'key.kept_elsewhere' AND actor_id IS NULL AND browser = 'console'"); got[0] != "1" {
		t.Errorf("%v events", got)
	}
	if _, err := in.First().RotateKey(t.Context(), func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	if kept() != nil {
		t.Error("a key that nobody has copied is said to be kept")
	}
}
