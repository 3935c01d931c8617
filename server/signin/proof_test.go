package signin_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

const proofPath = "/api/v1/session/proof"

// factorCalls are the calls that change factors or what is asked, with bodies that would be taken.
func factorCalls(phone *servertest.Enrolled) []struct {
	method, path string
	body         any
} {
	password := map[string]string{"password": servertest.Password}
	return []struct {
		method, path string
		body         any
	}{
		{"POST", servertest.Enrolments, map[string]string{"name": "mine"}},
		{"POST", servertest.Enrolments, map[string]string{"replaces": phone.ID}},
		{"POST", servertest.Security + "/backup-codes", password},
		{"POST", servertest.Security + "/disable", password},
	}
}

// factorsOf is all that the database keeps of factors.
func factorsOf(in *servertest.Installation) string {
	var all string
	for _, query := range []string{
		"SELECT id || name || label FROM totp_apps ORDER BY id", "SELECT id || state FROM backup_code_sets ORDER BY id",
		"SELECT id FROM totp_enrolments ORDER BY id", "SELECT id || requirement || CAST(COALESCE(mfa_since, 0) AS TEXT) FROM users ORDER BY id",
	} {
		for _, row := range in.Column(query) {
			all += row + "\n"
		}
	}
	return all
}

func TestRow37OnlyAFreshSecondStepChangesFactors(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		unchanged := func(t *testing.T, browser *servertest.Client, status int, code string) {
			t.Helper()
			before := factorsOf(in)
			for _, call := range factorCalls(ada) {
				browser.Do(call.method, call.path, call.body).Refused(status, code)
			}
			if factorsOf(in) != before {
				t.Error("something changed")
			}
		}
		t.Run("a pending sign-in does not", func(t *testing.T) {
			unchanged(t, pendingAt(in, "ada@example.test"), http.StatusUnauthorized, "not_signed_in")
		})
		t.Run("a session by password alone does not, however fresh", func(t *testing.T) {
			in.Change("UPDATE users SET requirement = 'off'")
			browser := in.Browser(servertest.Firefox)
			if answer := browser.Password("ada@example.test").Want(http.StatusOK); answer.Text("state") != "signed_in" {
				t.Fatalf("%s", answer.Raw)
			}
			in.Change("UPDATE users SET requirement = 'allowed'")
			unchanged(t, browser, http.StatusForbidden, "fresh_proof_required")
			browser.Prove("").Refused(http.StatusUnprocessableEntity, "code_required")
			unchanged(t, browser, http.StatusForbidden, "fresh_proof_required")
			browser.Prove(ada.Wrong(0)).Diagnosed("wrong_code")
			unchanged(t, browser, http.StatusForbidden, "fresh_proof_required")
		})
		t.Run("a stale one does not, and a proof by the app opens it for ten minutes", func(t *testing.T) {
			in.Clock.NextStep()
			browser := in.SignedIn("ada@example.test", ada, servertest.Firefox)
			in.Clock.Advance(11 * time.Minute)
			unchanged(t, browser, http.StatusForbidden, "fresh_proof_required")
			proved := browser.Prove(ada.Code()).Want(http.StatusOK)
			if proved.Text("fresh_until") != in.Clock.Now().Add(10*time.Minute).Format(time.RFC3339) || proved.Text("method") != "totp" {
				t.Errorf("%s", proved.Raw)
			}
			in.Clock.Advance(10*time.Minute - time.Millisecond)
			browser.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
			in.Clock.Advance(time.Millisecond)
			unchanged(t, browser, http.StatusForbidden, "fresh_proof_required")
		})
		t.Run("disable and new codes ask for the password anyway", func(t *testing.T) {
			in.Clock.NextStep()
			browser := in.SignedIn("ada@example.test", ada, servertest.Firefox)
			before := factorsOf(in)
			for _, path := range []string{"/disable", "/backup-codes"} {
				browser.Do("POST", servertest.Security+path, map[string]string{"password": wrongPassword}).Refused(http.StatusUnprocessableEntity, "wrong_password")
			}
			if factorsOf(in) != before {
				t.Error("something changed")
			}
		})
	})
}

func TestFreshProof(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		in.Beside()
		browser := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		in.Clock.Advance(11 * time.Minute)
		give := func(password, code string) *servertest.Answer {
			return browser.Do("POST", proofPath, map[string]string{"password": password, "code": code})
		}
		t.Run("a wrong password never spends the code sent with it, nor a try", func(t *testing.T) {
			give(wrongPassword, ada.Code()).Refused(http.StatusUnprocessableEntity, "wrong_password")
			give(wrongPassword, ada.Wrong(0)).Refused(http.StatusUnprocessableEntity, "wrong_password")
			give(wrongPassword, ada.Codes[0]).Refused(http.StatusUnprocessableEntity, "wrong_password")
			if used := in.Column("SELECT id FROM backup_codes WHERE used_at IS NOT NULL"); len(used) != 0 || tries(in, "failures") != "no row" {
				t.Errorf("%d backup codes used, %s failures", len(used), tries(in, "failures"))
			}
			give(servertest.Password, ada.Code()).Want(http.StatusOK)
		})
		t.Run("what has the shape of no code costs no hash, however often it is sent", func(t *testing.T) {
			runs := in.Runs()
			for _, text := range []string{"12345", "1234567", "not a code", "ABCDE-FGHJK"} {
				give(servertest.Password, text).Diagnosed("malformed")
				give(wrongPassword, text).Diagnosed("malformed")
			}
			if after := in.Runs(); after != runs {
				t.Errorf("%d hashes", after-runs)
			}
		})
		t.Run("row 12: the code of a proof is spent for signing in, and the other way round", func(t *testing.T) {
			pendingAt(in, "ada@example.test").Code(ada.Code()).Diagnosed("already_used")
			in.Clock.NextStep()
			pendingAt(in, "ada@example.test").Code(ada.Code()).Want(http.StatusOK)
			give(servertest.Password, ada.Code()).Diagnosed("already_used")
			in.Clock.NextStep()
		})
		t.Run("a backup code says how many are left", func(t *testing.T) {
			if answer := give(servertest.Password, ada.Codes[1]).Want(http.StatusOK); answer.Text("method") != "backup_code" || answer.Body["backup_codes_remaining"] != 9.0 {
				t.Errorf("%s", answer.Raw)
			}
		})
		t.Run("wrong passwords here and at sign-in have one budget", func(t *testing.T) {
			for range 3 {
				give(wrongPassword, "").Refused(http.StatusUnprocessableEntity, "code_required")
			}
			for range 3 {
				give(wrongPassword, ada.Code()).Refused(http.StatusUnprocessableEntity, "wrong_password")
			}
			for range 2 {
				guess(in.Browser(servertest.Safari), "ada@example.test", wrongPassword).Refused(http.StatusUnauthorized, "bad_credentials")
			}
			give(servertest.Password, ada.Code()).Refused(http.StatusTooManyRequests, "too_many_passwords")
			browser.Do("POST", servertest.Security+"/disable", map[string]string{"password": servertest.Password}).Refused(http.StatusForbidden, "app_code_required")
			in.Clock.Advance(time.Minute)
			give(servertest.Password, ada.Code()).Want(http.StatusOK)
			in.Clock.NextStep()
		})
		t.Run("of one code sent many times one is a proof", func(t *testing.T) {
			var proved atomic.Int32
			code := ada.Code()
			servertest.Together(4, func(n int) {
				answer, err := browser.On(in.On(n)).Try("POST", proofPath, map[string]string{"password": servertest.Password, "code": code})
				switch {
				case err != nil:
					t.Error(err)
				case answer.Status == http.StatusOK:
					proved.Add(1)
				case answer.Status == http.StatusUnauthorized || answer.Body["code"] == "code_refused":
					// the session has a new token by then, or the code is spent
				default:
					t.Errorf("%d: %s", answer.Status, answer.Raw)
				}
			})
			if proved.Load() != 1 {
				t.Errorf("%d proofs", proved.Load())
			}
		})
	})
}

func TestRow38BackupCodeOpensOnlyTheReplacingOfTheApp(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator")
		bob := in.AddPerson("Bob", "bob@example.test", "member")
		weaker := map[string]func() *servertest.Client{
			"signed in with one": func() *servertest.Client {
				browser := pendingAt(in, "ada@example.test")
				backup(browser, ada.Codes[0]).Want(http.StatusOK)
				return browser
			},
			"proved with one in a session of the app": func() *servertest.Client {
				browser := in.SignedIn("ada@example.test", ada, servertest.Firefox)
				in.Clock.Advance(11 * time.Minute)
				browser.Prove(ada.Codes[1]).Want(http.StatusOK)
				return browser
			},
		}
		for name, open := range weaker {
			t.Run(name, func(t *testing.T) {
				browser := open()
				before := factorsOf(in)
				for _, call := range []struct {
					method, path string
					body         any
				}{
					{"POST", servertest.Security + "/disable", map[string]string{"password": servertest.Password}},
					{"POST", servertest.Security + "/backup-codes", map[string]string{"password": servertest.Password}},
					{"PUT", "/api/v1/users/" + bob + "/security/requirement", map[string]string{"requirement": "required"}},
				} {
					browser.Do(call.method, call.path, call.body).Refused(http.StatusForbidden, "app_code_required")
				}
				if factorsOf(in) != before {
					t.Error("something changed")
				}
				browser.Do("GET", "/api/v1/users", nil).Want(http.StatusOK) // what is ordinary goes on
				browser.Do("POST", servertest.Enrolments, map[string]string{"replaces": ada.ID}).Want(http.StatusCreated)
			})
		}
		t.Run("a code of the app opens the rest", func(t *testing.T) {
			own := in.SignedIn("ada@example.test", ada, servertest.Firefox)
			own.Do("PUT", "/api/v1/users/"+bob+"/security/requirement", map[string]string{"requirement": "required"}).Want(http.StatusNoContent)
		})
		t.Run("and so does the new app, once confirmed", func(t *testing.T) {
			browser := pendingAt(in, "ada@example.test")
			backup(browser, ada.Codes[2]).Want(http.StatusOK)
			begun := browser.Do("POST", servertest.Enrolments, map[string]string{"replaces": ada.ID}).Want(http.StatusCreated)
			browser.Do("POST", servertest.Security+"/disable", map[string]string{"password": servertest.Password}).Refused(http.StatusForbidden, "app_code_required")
			phone := in.Scan(begun.Text("secret"))
			if codes := browser.Confirm(begun.Text("id"), phone.Code()).Want(http.StatusOK).Texts("backup_codes"); len(codes) != 10 {
				t.Errorf("%d new codes", len(codes))
			}
			browser.Do("POST", servertest.Security+"/disable", map[string]string{"password": servertest.Password}).Want(http.StatusOK)
		})
	})
}

func TestRow39EnrollingNeedsThePasswordAndNothingElseIsOpen(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id := in.AddPerson("Bob", "bob@example.test", "member")
		t.Run("without a factor: the password again, when it is ten minutes old", func(t *testing.T) {
			browser := in.Browser(servertest.Firefox)
			browser.Password("bob@example.test").Want(http.StatusOK)
			in.Clock.Advance(10 * time.Minute)
			browser.Do("POST", servertest.Enrolments, map[string]string{}).Refused(http.StatusForbidden, "fresh_proof_required")
			browser.Do("POST", proofPath, map[string]string{"password": wrongPassword}).Refused(http.StatusUnprocessableEntity, "wrong_password")
			browser.Do("POST", servertest.Enrolments, map[string]string{}).Refused(http.StatusForbidden, "fresh_proof_required")
			browser.Prove("").Want(http.StatusOK)
			browser.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
		})
		t.Run("a confinement of the session itself outlives a proof by password", func(t *testing.T) {
			browser := in.Browser(servertest.Firefox)
			browser.Password("bob@example.test").Want(http.StatusOK)
			in.Change("UPDATE sessions SET confined_to = 'enrolment'")
			in.Change("UPDATE users SET reset_at = 1 WHERE id = ?", id) // as after an enrolment link
			browser.Prove("").Want(http.StatusOK)
			if session := browser.Do("GET", "/api/v1/session", nil).Want(http.StatusOK); session.Body["confined_to"] != "enrolment" {
				t.Errorf("%s", session.Raw)
			}
			in.Change("UPDATE users SET reset_at = NULL WHERE id = ?", id)
			browser.Do("GET", "/api/v1/session", nil).Refused(http.StatusUnauthorized, "session_ended") // what it was opened for is over
		})
		t.Run("a deadline that passes confines a session that was open before", func(t *testing.T) {
			in.Change("UPDATE users SET requirement = 'required', deadline = ?", in.Clock.Now().Add(time.Minute).UnixMilli())
			browser := in.Browser(servertest.Firefox)
			browser.Password("bob@example.test").Want(http.StatusOK)
			if session := browser.Do("GET", "/api/v1/session", nil).Want(http.StatusOK); session.Body["confined_to"] != nil {
				t.Errorf("%s", session.Raw)
			}
			in.Clock.Advance(time.Minute)
			if session := browser.Do("GET", "/api/v1/session", nil).Want(http.StatusOK); session.Body["confined_to"] != "enrolment" {
				t.Errorf("%s", session.Raw)
			}
		})
		in.Change("UPDATE users SET role = 'administrator' WHERE id = ?", id)
		confined := in.Browser(servertest.Firefox)
		if answer := confined.Password("bob@example.test").Want(http.StatusOK); answer.Text("state") != "enrolment_required" {
			t.Fatalf("%s", answer.Raw)
		}
		closed := func(t *testing.T, browser *servertest.Client) {
			t.Helper()
			count := 0
			for _, call := range operations(t, in) {
				switch call.access {
				case "public", "visitor", "pending", "enrolling", "fresh_enrolling":
					continue
				}
				count++
				browser.Do(call.method, call.path, map[string]any{}).Refused(http.StatusForbidden, "enrolment_required")
			}
			if count < 4 {
				t.Errorf("only %d calls were closed", count)
			}
		}
		t.Run("a confined session can do nothing but enrol", func(t *testing.T) { closed(t, confined) })
		t.Run("a second tab, a new sign-in or a proof by password frees nobody", func(t *testing.T) {
			again := in.Browser(servertest.Safari)
			if answer := again.Password("bob@example.test").Want(http.StatusOK); answer.Text("state") != "enrolment_required" {
				t.Fatalf("%s", answer.Raw)
			}
			again.Prove("").Want(http.StatusOK)
			closed(t, again)
			begun := again.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
			closed(t, again)
			again.Do("DELETE", servertest.Enrolments+"/"+begun.Text("id"), nil).Want(http.StatusNoContent)
			closed(t, again)
			begun = again.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
			again.Confirm(begun.Text("id"), in.Scan(begun.Text("secret")).Code()).Want(http.StatusOK)
			closed(t, again)
		})
		t.Run("enrolling does", func(t *testing.T) {
			bob := in.Enrol(confined)
			confined.Do("GET", "/api/v1/users", nil).Want(http.StatusOK)
			t.Run("and signing in never enrols beside a factor", func(t *testing.T) {
				pending := pendingAt(in, "bob@example.test")
				for _, call := range factorCalls(bob) {
					pending.Do(call.method, call.path, call.body).Refused(http.StatusUnauthorized, "not_signed_in")
				}
			})
		})
	})
}

func TestRow40ProofBelongsToOneSession(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		in.Beside()
		one, two := in.SignedIn("ada@example.test", ada, servertest.Firefox), in.SignedIn("ada@example.test", ada, servertest.Safari)
		in.Clock.Advance(11 * time.Minute)
		begin := func(browser *servertest.Client) *servertest.Answer {
			return browser.Do("POST", servertest.Enrolments, map[string]string{})
		}
		one.Prove(ada.Code()).Want(http.StatusOK)
		begin(one).Want(http.StatusCreated)
		t.Run("another session of the same person has none", func(t *testing.T) {
			begin(two).Refused(http.StatusForbidden, "fresh_proof_required")
			if session := two.Do("GET", "/api/v1/session", nil).Want(http.StatusOK); session.Body["fresh_until"] != nil {
				t.Errorf("%s", session.Raw)
			}
		})
		t.Run("it ends after ten minutes", func(t *testing.T) {
			in.Clock.Advance(11 * time.Minute)
			begin(one).Refused(http.StatusForbidden, "fresh_proof_required")
		})
		t.Run("it ends at sign-out", func(t *testing.T) {
			one.Prove(ada.Code()).Want(http.StatusOK)
			stolen := in.Holding(servertest.SessionCookie, one.Cookie(servertest.SessionCookie))
			begin(stolen).Want(http.StatusCreated)
			one.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
			begin(stolen).Refused(http.StatusUnauthorized, "session_ended")
			begin(two).Refused(http.StatusForbidden, "fresh_proof_required")
		})
	})
}
