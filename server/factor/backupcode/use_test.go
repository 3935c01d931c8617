package backupcode_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestRow19StoredAsHashesOnly(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := protected(in, "ada")
		hashes := in.Column("SELECT hash FROM backup_codes ORDER BY position")
		if len(hashes) != 10 {
			t.Fatalf("%d hashes", len(hashes))
		}
		for _, hash := range hashes {
			if !strings.HasPrefix(hash, "$argon2id$") {
				t.Errorf("stored as %q", hash)
			}
		}
		slices.Sort(hashes)
		if len(slices.Compact(hashes)) != 10 {
			t.Error("two codes share a salt")
		}
		// What is stored is no code.
		selectors := in.Column("SELECT selector FROM backup_codes")
		for n, stored := range slices.Concat(hashes[:2], selectors[:2], in.Column("SELECT id FROM backup_codes LIMIT 2")) {
			if n%4 == 0 {
				ada.here.Password(ada.email).Want(200)
			}
			if answer := paper(ada.here, stored); answer.Status == 200 {
				t.Errorf("%q signs in", stored)
			}
		}
		if sessions := in.Column("SELECT id FROM sessions"); len(sessions) != 0 {
			t.Errorf("%d sessions", len(sessions))
		}
		// What was shown is nowhere.
		in.Change("DELETE FROM second_step_tries")
		ada.signIn(ada.Codes[0]).Want(200)
		ada.signIn(ada.Codes[0]).Diagnosed("backup_code_used")
		places := in.Files()
		places["the log"] = []byte(in.First().Log.String())
		if in.Postgres {
			for _, table := range in.Column("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") {
				places[table] = []byte(strings.Join(in.Column("SELECT r::text FROM "+table+" AS r"), "\n"))
			}
		}
		for place, content := range places {
			for _, code := range ada.Codes {
				for _, form := range []string{code, strings.ReplaceAll(code, "-", ""), strings.ReplaceAll(code, "-", "")[2:]} {
					if bytes.Contains(bytes.ToUpper(content), []byte(form)) {
						t.Errorf("a backup code is in %s", place)
					}
				}
			}
		}
	})
}

func TestRow20FiftyParallelBackupCodesOneSession(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		t.Run("one use", func(t *testing.T) {
			in := in.For(t)
			ada := protected(in, "ada")
			var browsers []*servertest.Client
			for range 10 {
				browser := in.Browser(servertest.Firefox)
				browser.Password(ada.email).Want(200)
				browsers = append(browsers, browser)
			}
			answers := in.Race(50, ada.here, func(n int, _ *servertest.Client) (*servertest.Answer, error) {
				return browsers[n%10].On(in.On(n/10)).Try("POST", "/api/v1/sign-in/backup-code", map[string]string{"code": ada.Codes[3]})
			})
			in.Only(200, answers)
			if sessions := in.Column("SELECT id FROM sessions"); len(sessions) != 1 {
				t.Errorf("%d sessions", len(sessions))
			}
			if used := in.Column("SELECT position FROM backup_codes WHERE used_at IS NOT NULL"); !slices.Equal(used, []string{"4"}) {
				t.Errorf("used: %v", used)
			}
		})
		t.Run("a fault gives the code back", func(t *testing.T) {
			in := in.For(t)
			bob := protected(in, "bob")
			bob.signIn(bob.Codes[0]).Want(200)
			in.Change("CREATE UNIQUE INDEX one_session ON sessions (user_id)") // so that the next one can't be opened
			bob.signIn(bob.Codes[1]).Refused(500, "internal_fault")
			in.Change("DROP INDEX one_session")
			if answer := bob.signIn(bob.Codes[1]).Want(200); answer.Body["backup_codes_remaining"] != 8.0 {
				t.Errorf("%s", answer.Raw)
			}
		})
	})
}

func TestRow21CodesOfOthers(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada, bob := protected(in, "ada"), protected(in, "bob")
		in.Change("UPDATE backup_codes SET used_at = NULL") // nothing is used
		ada.signIn(bob.Codes[0]).Explains(why{"reason": "wrong_code", "attempts_left": 4, "remaining": 10})
		counted := in.Column("SELECT u.email FROM second_step_tries AS t JOIN users AS u ON u.id = t.user_id WHERE t.failures = 1")
		if !slices.Equal(counted, []string{ada.email}) {
			t.Errorf("counted against %v", counted)
		}
		session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
		session.Prove(bob.Codes[0]).Diagnosed("wrong_code")
		if answer := bob.signIn(bob.Codes[0]).Want(200); answer.Body["backup_codes_remaining"] != 9.0 {
			t.Errorf("%s", answer.Raw)
		}
	})
}

func TestRow22OneSetLives(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		password := map[string]string{"password": servertest.Password}
		sets := func(state string) []string {
			return in.Column("SELECT id FROM backup_code_sets WHERE state = ?", state)
		}
		t.Run("none before there is a factor", func(t *testing.T) {
			in := in.For(t)
			in.AddPerson("Eve", "eve@example.test", "member")
			browser := in.Browser(servertest.Firefox)
			browser.Password("eve@example.test").Want(200)
			browser.Do("POST", servertest.Security+"/backup-codes", password).Refused(409, "mfa_off")
			browser.Do("POST", servertest.Security+"/backup-codes/activate", nil).Refused(409, "mfa_off")
			if rows := in.Column("SELECT id FROM backup_codes"); len(rows) != 0 {
				t.Errorf("%d codes", len(rows))
			}
		})
		t.Run("two regenerations at once", func(t *testing.T) {
			in := in.For(t)
			ada := protected(in, "ada")
			session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
			made := in.Race(2, session, func(_ int, browser *servertest.Client) (*servertest.Answer, error) {
				return browser.Try("POST", servertest.Security+"/backup-codes", password)
			})
			if len(sets("pending")) != 1 || len(sets("active")) != 1 {
				t.Fatalf("pending %v, active %v", sets("pending"), sets("active"))
			}
			in.Only(200, in.Race(10, session, func(_ int, browser *servertest.Client) (*servertest.Answer, error) {
				return browser.Try("POST", servertest.Security+"/backup-codes/activate", nil)
			}))
			if len(sets("pending")) != 0 || len(sets("active")) != 1 || len(sets("retired")) != 1 {
				t.Fatalf("pending %v, active %v, retired %v", sets("pending"), sets("active"), sets("retired"))
			}
			good := 0
			for _, answer := range made {
				in.Change("DELETE FROM second_step_tries")
				if ada.signIn(answer.Want(200).Texts("backup_codes")[0]).Status == 200 {
					good++
				}
			}
			if good != 1 {
				t.Errorf("codes of %d sets sign in", good)
			}
			ada.signIn(ada.Codes[0]).Diagnosed("backup_code_replaced")
		})
		t.Run("they die with 2-step verification", func(t *testing.T) {
			in := in.For(t)
			bob := protected(in, "bob")
			session := in.SignedIn(bob.email, bob.Enrolled, servertest.Firefox)
			pending := session.Do("POST", servertest.Security+"/backup-codes", password).Want(200).Texts("backup_codes")
			session.Do("POST", servertest.Security+"/disable", password).Want(200)
			again := in.Enrol(session)
			bob.signIn(bob.Codes[0]).Diagnosed("backup_code_replaced")
			bob.signIn(pending[0]).Diagnosed("wrong_code") // it was never good for anything
			bob.signIn(again.Codes[0]).Want(200)
		})
	})
}

func TestRow23OneHashAnAttempt(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := protected(in, "ada")
		session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
		costs := func(what string, want uint64, act func()) {
			t.Helper()
			before := in.Runs()
			act()
			if runs := in.Runs() - before; runs != want {
				t.Errorf("%s: %d argon2id, want %d", what, runs, want)
			}
		}
		ada.here.Password(ada.email).Want(200)
		try := func(code string) func() { return func() { paper(ada.here, code) } }
		costs("nobody's code", 1, try(servertest.WrongBackupCode))
		costs("a right selector and a wrong secret", 1, try(ada.Codes[0][:2]+"ZZZ-ZZZZZ-ZZZZZ"))
		costs("a wrong code of the app", 0, try(ada.Wrong(0)))
		costs("no code by its shape", 0, try("hello"))
		costs("200 symbols", 0, try(strings.Repeat("A", 200)))
		costs("1 MB", 0, func() {
			answer, err := ada.here.Try("POST", "/api/v1/sign-in/backup-code", map[string]string{"code": strings.Repeat("A", 1<<20)})
			if err == nil && answer.Status != 413 {
				t.Errorf("%d %s", answer.Status, answer.Raw)
			}
		})
		costs("a right code", 1, func() { paper(ada.here, ada.Codes[0]).Want(200) })
		costs("the password and a wrong code", 2, func() { session.Prove(servertest.WrongBackupCode).Diagnosed("wrong_code") })
		costs("the password and a used code", 2, func() { session.Prove(ada.Codes[0]).Diagnosed("backup_code_used") })
		costs("a wrong password and a right code", 1, func() {
			session.Do("POST", "/api/v1/session/proof", map[string]string{"password": "no", "code": ada.Codes[1]}).Refused(422, "wrong_password")
		})
		// A budget that is spent costs nothing at all.
		for range 6 {
			session.Prove(servertest.WrongBackupCode)
		}
		ada.here.Password(ada.email).Want(200)
		costs("too many", 0, func() { paper(ada.here, ada.Codes[1]).Diagnosed("too_many_attempts") })
	})
}
