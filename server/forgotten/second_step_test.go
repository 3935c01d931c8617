package forgotten_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// TestRow49TheSecondStepStays: a password chosen through the mailbox opens what a password opens, and no more.
func TestRow49TheSecondStepStays(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		ada := in.Protected(adaEmail, "administrator")
		elevated := in.SignedIn(adaEmail, ada, servertest.Firefox)
		pending := in.Browser(servertest.Firefox)
		pending.Password(adaEmail).Want(http.StatusOK)
		in.Mails()
		stored := func() string {
			var all string
			for _, query := range []string{
				"SELECT id || label FROM totp_apps ORDER BY id", "SELECT id || state FROM backup_code_sets ORDER BY id",
				"SELECT id FROM backup_codes WHERE used_at IS NULL ORDER BY id",
				"SELECT id || requirement || CAST(COALESCE(mfa_since, 0) AS TEXT) || CAST(COALESCE(reset_at, 0) AS TEXT) FROM users ORDER BY id",
			} {
				for _, row := range in.Column(query) {
					all += row + "\n"
				}
			}
			return all
		}
		before := stored()

		token := sent(t, in, adaEmail)
		// The link is the mailbox's, and stands for nothing else.
		for _, cookie := range []string{servertest.SessionCookie, servertest.PendingCookie} {
			thief := in.Holding(cookie, token)
			thief.Do("GET", "/api/v1/session", nil).Want(http.StatusUnauthorized)
			if answer := thief.Code(ada.Code()); answer.Status == http.StatusOK {
				t.Errorf("the link as %s opened something", cookie)
			}
		}
		browser := in.Browser(servertest.Safari)
		choose(browser, token, newPassword).Want(http.StatusNoContent)
		if after := stored(); after != before {
			t.Errorf("stored\n%s\nand then\n%s", before, after)
		}
		for _, call := range []string{"/api/v1/session", servertest.Security, "/api/v1/users"} {
			browser.Do("GET", call, nil).Refused(http.StatusUnauthorized, "not_signed_in")
		}
		elevated.Do("POST", servertest.Enrolments, body{}).Refused(http.StatusUnauthorized, "session_ended")
		pending.Code(ada.Code()).Diagnosed("sign_in_expired")

		answer := signIn(browser, adaEmail, newPassword).Want(http.StatusOK)
		if answer.Text("state") != "second_step" {
			t.Fatalf("%s", answer.Raw)
		}
		browser.Do("GET", "/api/v1/session", nil).Want(http.StatusUnauthorized)
		browser.Do("POST", servertest.Enrolments, body{}).Refused(http.StatusUnauthorized, "not_signed_in")
		browser.Code(ada.Wrong(1)).Diagnosed("wrong_code")
		browser.Code(ada.Code()).Want(http.StatusOK)
	}, mails)
}

// TestItClearsDelaysAndLocks is security.md's decision on wrong second steps: who has nothing but the password can't keep
// out whoever has the mailbox. Wrong passwords do not follow the new one either.
func TestItClearsDelaysAndLocks(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		ada := in.Protected(adaEmail, "member")
		id := in.Column("SELECT id FROM users")[0]
		for range 5 {
			signIn(in.Browser(servertest.Safari), adaEmail, "not the password").Refused(http.StatusUnauthorized, "bad_credentials")
		}
		signIn(in.Browser(servertest.Safari), adaEmail, newPassword).Refused(http.StatusTooManyRequests, "too_many_passwords")
		in.Change("INSERT INTO second_step_tries (user_id, window_started_at, failures, in_a_row, delay_ms, blocked_until, locked_at) VALUES (?, 0, 50, 50, 3600000, ?, 1)",
			id, in.Clock.Now().Add(time.Hour).UnixMilli())

		choose(in.Browser(servertest.Safari), sent(t, in, adaEmail), newPassword).Want(http.StatusNoContent)
		browser := in.Browser(servertest.Safari)
		signIn(browser, adaEmail, newPassword).Want(http.StatusOK)
		browser.Code(ada.Code()).Want(http.StatusOK)

		// Once a day: whoever has the mailbox and no second step would guess on and on (row 41).
		in.Change("INSERT INTO second_step_tries (user_id, window_started_at, failures, in_a_row, delay_ms, blocked_until, locked_at) VALUES (?, 0, 50, 50, 3600000, 0, 1)", id)
		choose(in.Browser(servertest.Safari), sent(t, in, adaEmail), "violet tractor humming").Want(http.StatusNoContent)
		if locked := in.Column("SELECT locked_at FROM second_step_tries"); len(locked) != 1 || locked[0] != "1" {
			t.Errorf("the lock: %v", locked)
		}
		in.Clock.Advance(25 * time.Hour)
		choose(in.Browser(servertest.Safari), sent(t, in, adaEmail), newPassword).Want(http.StatusNoContent)
		if locked := in.Column("SELECT locked_at FROM second_step_tries WHERE locked_at IS NOT NULL"); len(locked) != 0 {
			t.Errorf("the lock, a day later: %v", locked)
		}

		// So does the console's.
		for range 5 {
			signIn(in.Browser(servertest.Safari), adaEmail, "not the password").Refused(http.StatusUnauthorized, "bad_credentials")
		}
		in.SetPassword(id, "nine green cups of tea")
		signIn(in.Browser(servertest.Safari), adaEmail, "nine green cups of tea").Want(http.StatusOK)
	}, mails)
}

// TestRow49TheMailboxAloneOpensNoResetAccount: an enrolment link and a password from the same mailbox do not make an account
// between them, in either order. Whoever has reset the person hands over another link, which goes with the new password;
// it is not mailed, since the password came from the mailbox.
func TestRow49TheMailboxAloneOpensNoResetAccount(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		boss := in.Protected("boss@example.test", "administrator")
		admin := in.SignedIn("boss@example.test", boss, servertest.Firefox)
		in.Protected(adaEmail, "member")
		id := in.Column("SELECT id FROM users WHERE email = ?", adaEmail)[0]
		in.Mails()
		reset := func() (mailed, shown string) {
			t.Helper()
			answer := admin.Do("POST", "/api/v1/users/"+id+"/security/reset", body{"password": servertest.Password, "code": boss.Code(), "reason": "Lost the phone."}).Want(http.StatusOK)
			in.Clock.NextStep()
			for _, letter := range in.Mails() {
				if found := enrolment.FindStringSubmatch(letter.Text); letter.To == adaEmail && found != nil {
					mailed = found[1]
				}
			}
			if answer.Body["enrolment_link"] != nil {
				_, shown, _ = strings.Cut(answer.Text("enrolment_link"), "#token=")
			}
			return mailed, shown
		}
		enrol := func(token string) *servertest.Answer {
			t.Helper()
			browser := in.Browser(servertest.Safari)
			if answer := signIn(browser, adaEmail, newPassword).Want(http.StatusOK); answer.Text("state") != "enrolment_link_required" {
				t.Fatalf("%s", answer.Raw)
			}
			return browser.Do("POST", "/api/v1/sign-in/enrolment-link", body{"token": token})
		}
		before, shown := reset()
		if before == "" || shown != "" {
			t.Fatalf("mailed %q, shown %q", before, shown)
		}
		choose(in.Browser(servertest.Safari), sent(t, in, adaEmail), newPassword).Want(http.StatusNoContent)
		enrol(before).Refused(http.StatusGone, "enrolment_link_expired")
		mailed, after := reset()
		if mailed != "" {
			t.Fatal("the mailbox has both, the password and the enrolment link")
		}
		enrol(after).Want(http.StatusOK)
	}, mails)
}
