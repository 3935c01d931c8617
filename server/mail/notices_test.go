package mail_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/servertest"
)

const (
	ada = "ada@example.test"
	bob = "bob@example.test"
)

// told fails the test unless exactly one mail has gone out since, to the address and with the subject.
func told(t *testing.T, in *servertest.Installation, to, subject string) *servertest.Letter {
	t.Helper()
	letters := in.Mails()
	if len(letters) != 1 {
		subjects := make([]string, len(letters))
		for n, letter := range letters {
			subjects[n] = letter.To + ": " + letter.Subject
		}
		t.Fatalf("%d mails, want %q: %q", len(letters), subject, subjects)
	}
	letter := letters[0]
	if letter.To != to || letter.Subject != subject {
		t.Errorf("to %s: %q, want to %s: %q", letter.To, letter.Subject, to, subject)
	}
	if letter.Header.Get("To") != "<"+to+">" || letter.Header.Get("From") != `"MailMachine" <no-reply@example.test>` {
		t.Errorf("headers %q", letter.Header)
	}
	says(t, letter, " 2026, ", " UTC", servertest.MailURL+"/parameters/users/me/security")
	return letter
}

// untold fails the test if a mail has gone out since.
func untold(t *testing.T, in *servertest.Installation) {
	t.Helper()
	for _, letter := range in.Mails() {
		t.Errorf("a mail that nobody wants: to %s: %q", letter.To, letter.Subject)
	}
}

// says looks for texts in both forms of a mail.
func says(t *testing.T, letter *servertest.Letter, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for form, content := range map[string]string{"plain text": letter.Text, "HTML": letter.HTML} {
			if !strings.Contains(content, text) {
				t.Errorf("no %q in the %s of %q:\n%s", text, form, letter.Subject, content)
			}
		}
	}
}

// notMe is where a mail leads whoever did not do it.
const notMe = servertest.MailURL + "/parameters/users/me/security/not-me"

// TestPeopleAreTold is security.md row 73: each event is one mail, to the address on record, that says what happened,
// when, from where, and what to do; and no mail has a secret.
func TestPeopleAreTold(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		enrolled := in.Protected(ada, "administrator")
		first := told(t, in, ada, "2-step verification is on")
		says(t, first, "Hello Ada Admin,", "12 March 2026, 09:41 UTC", "Firefox on Linux, from the address 127.0.0.1", notMe)
		if first.Header.Get("Auto-Submitted") != "auto-generated" || !strings.HasSuffix(first.Header.Get("Message-Id"), "@example.test>") {
			t.Errorf("headers %q", first.Header)
		}
		all := []*servertest.Letter{first}
		keep := func(letter *servertest.Letter) *servertest.Letter { all = append(all, letter); return letter }

		browser := in.SignedIn(ada, enrolled, servertest.Safari)
		says(t, keep(told(t, in, ada, "A sign-in with a new browser")), "Safari on iPhone, from the address 127.0.0.1", notMe)
		browser.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
		browser.Password(ada).Want(http.StatusOK)
		browser.Code(enrolled.Code()).Want(http.StatusOK)
		in.Clock.NextStep()
		untold(t, in) // an ordinary sign-in

		browser.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
		browser.Password(ada).Want(http.StatusOK)
		browser.Code(enrolled.Codes[0]).Want(http.StatusOK)
		says(t, keep(told(t, in, ada, "A backup code was used")), "9 are left", notMe)
		browser.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
		browser.Password(ada).Want(http.StatusOK)
		browser.Code(enrolled.Code()).Want(http.StatusOK)
		in.Clock.NextStep()

		made := browser.Do("POST", servertest.Security+"/backup-codes", map[string]string{"password": servertest.Password}).Want(http.StatusOK)
		untold(t, in) // shown, and not saved
		browser.Do("POST", servertest.Security+"/backup-codes/activate", nil).Want(http.StatusOK)
		keep(told(t, in, ada, "You have new backup codes"))

		begun := browser.Do("POST", servertest.Enrolments, map[string]string{"name": "Tablet"}).Want(http.StatusCreated)
		second := in.Scan(begun.Text("secret"))
		browser.Confirm(begun.Text("id"), second.Code()).Want(http.StatusOK)
		in.Clock.NextStep()
		keep(told(t, in, ada, "An authenticator app was added"))

		browser.Prove(enrolled.Code()).Want(http.StatusOK)
		in.Clock.NextStep()
		browser.Do("DELETE", servertest.Security+"/factors/"+enrolled.ID, nil).Want(http.StatusNoContent)
		keep(told(t, in, ada, "An authenticator app was removed"))

		left := in.Column("SELECT id FROM totp_apps")[0]
		begun = browser.Do("POST", servertest.Enrolments, map[string]string{"name": "Phone", "replaces": left}).Want(http.StatusCreated)
		third := in.Scan(begun.Text("secret"))
		browser.Confirm(begun.Text("id"), third.Code()).Want(http.StatusOK)
		in.Clock.NextStep()
		keep(told(t, in, ada, "Your authenticator app was replaced"))

		in.AddPerson("Bob", bob, "member")
		asks := func(requirement string) {
			browser.Do("PUT", "/api/v1/users/"+in.Column("SELECT id FROM users WHERE email = ?", bob)[0]+"/security/requirement",
				map[string]string{"requirement": requirement, "reason": "The phone policy."}).Want(http.StatusNoContent)
		}
		for _, asked := range []struct{ requirement, subject string }{
			{"off", "2-step verification is not available to you"},
			{"allowed", "2-step verification is your own choice"},
			{"required", "2-step verification is required of you"},
		} {
			asks(asked.requirement)
			letter := keep(told(t, in, bob, asked.subject))
			says(t, letter, "An administrator of your account", "ask an administrator")
			if strings.Contains(letter.Raw, "127.0.0.1") || strings.Contains(letter.Raw, "not-me") {
				t.Errorf("a mail tells where an administrator is, or leads astray: %s", letter.Text)
			}
		}

		browser.Do("POST", servertest.Security+"/not-me", nil).Want(http.StatusOK)
		keep(told(t, in, ada, "“This wasn’t me” was pressed"))

		const chosen = "nine quiet harbours at dusk"
		browser.Do("POST", servertest.Security+"/password", map[string]string{"password": servertest.Password, "new_password": chosen}).Want(http.StatusOK)
		keep(told(t, in, ada, "Your password was changed"))

		browser.Do("POST", servertest.Security+"/disable", map[string]string{"password": chosen}).Want(http.StatusOK)
		keep(told(t, in, ada, "2-step verification was turned off"))

		in.SetPassword(in.Column("SELECT id FROM users WHERE email = ?", bob)[0], chosen)
		says(t, keep(told(t, in, bob, "Your account was given a new password")), "Somebody at the server itself")

		secrets := append([]string{servertest.Password, chosen}, enrolled.Codes...)
		secrets = append(secrets, made.Texts("backup_codes")...)
		secrets = append(secrets, begun.Text("secret"), begun.Text("otpauth_uri"))
		for _, letter := range all {
			for _, secret := range secrets {
				if strings.Contains(letter.Raw+letter.Text+letter.HTML, secret) {
					t.Errorf("%q has a secret", letter.Subject)
				}
			}
		}
		for _, word := range []string{ada, bob, "no-reply"} {
			if strings.Contains(in.First().Log.String(), word) {
				t.Errorf("the log has %s", word)
			}
		}
	}, servertest.Options{Mail: true})
}

// TestWhatOnlyTheServerDoesIsToldToo covers the kinds that no call of a test reaches: security keys, and a restore.
func TestWhatOnlyTheServerDoesIsToldToo(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id := in.AddPerson("Ada", ada, "administrator")
		at := audit.Event{Actor: id, Browser: "Firefox on Linux", Address: "192.0.2.7", Method: "webauthn"}
		for _, one := range []struct {
			event   audit.Event
			subject string
		}{
			{at.Is(audit.FactorAdded, audit.OK), "A security key was added"},
			{at.Is(audit.FactorRemoved, audit.OK), "A security key was removed"},
			{at.Is(audit.FactorSuspect, audit.OK), "A security key of yours may have been copied"},
			{audit.FromConsole().Is(audit.BackupCodesVoided, audit.OK), "Your backup codes no longer work: make new ones"},
		} {
			record(t, in, one.event.About(id))
			told(t, in, ada, one.subject)
		}
		record(t, in, at.Is(audit.FactorAdded, audit.Refused).About(id), at.Is(audit.NameChanged, audit.OK).About(id),
			at.Is(audit.SignInCompleted, audit.OK).About(id), audit.FromConsole().Is(audit.Restored, audit.OK))
		untold(t, in)
	}, servertest.Options{Mail: true})
}

// TestWhatManyGetKeepsNobodyWaiting is row 79 for mails: those to many at once are sent after those that somebody may have
// to act on, however long they have waited.
func TestWhatManyGetKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id, other := in.AddPerson("Ada", ada, "member"), in.AddPerson("Bob", bob, "member")
		record(t, in, audit.Event{Actor: id}.About(other).Is(audit.ReminderSent, audit.OK))
		in.Clock.Advance(time.Minute)
		record(t, in, audit.Event{Actor: id}.About(id).Is(audit.PasswordChanged, audit.OK))
		letters := in.Mails()
		if len(letters) != 2 || letters[0].Subject != "Your password was changed" || letters[1].Subject != "A reminder: turn on 2-step verification" {
			t.Errorf("%d mails, the first %q", len(letters), letters[0].Subject)
		}
	}, servertest.Options{Mail: true})
}

func record(t *testing.T, in *servertest.Installation, events ...audit.Event) {
	t.Helper()
	err := in.First().Database.Write(context.Background(), func(ctx context.Context, tx database.Tx) error {
		return audit.Record(ctx, tx, events...)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRefusedSecondStepsAreToldOnce is rows 47 and 73: the third in a row is told, at the most once an hour, with how
// often it was.
func TestRefusedSecondStepsAreToldOnce(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		enrolled := in.Protected(ada, "administrator")
		told(t, in, ada, "2-step verification is on")
		thief := in.Browser(servertest.Firefox)
		wrong := func(times int) {
			t.Helper()
			for n := range times {
				if n%4 == 0 {
					thief.Password(ada).Want(http.StatusOK)
				}
				thief.Code(enrolled.Wrong(n)).Refused(http.StatusUnprocessableEntity, "code_refused")
			}
		}
		wrong(2)
		untold(t, in) // a slip
		thief.Code(enrolled.Code()).Want(http.StatusOK)
		in.Clock.NextStep()
		told(t, in, ada, "A sign-in with a new browser")
		wrong(2)
		untold(t, in) // a row begins anew behind a right one
		wrong(2)
		says(t, told(t, in, ada, "Somebody may know your password"), "then 4 codes that were refused", "Firefox on Linux", notMe)
		wrong(3)
		untold(t, in)
		in.Clock.Advance(61 * time.Minute)
		says(t, told(t, in, ada, "Somebody may know your password"), "then 3 codes that were refused")
		in.Clock.Advance(24 * time.Hour)
		untold(t, in)
	}, servertest.Options{Mail: true})
}
