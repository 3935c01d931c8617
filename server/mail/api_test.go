package mail_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/secondstep/secondstep/server/servertest"
)

// TestAdministratorsSeeWhatWaits: issue 5, section 4: what is given up is a warning that administrators see.
func TestAdministratorsSeeWhatWaits(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id := in.AddPerson("Ada", ada, "administrator")
		in.AddPerson("Bob", bob, "member")
		member := in.Browser(servertest.Firefox)
		member.Password(bob).Want(http.StatusOK)
		member.Do("GET", "/api/v1/mail", nil).Want(http.StatusForbidden)
		if sender := in.Browser(servertest.Firefox).Do("GET", "/api/v1/mail/sender", nil).Want(http.StatusOK).Body; sender["sends"] != true || sender["from"] != "no-reply@example.test" {
			t.Errorf("%v", sender)
		}

		expect := func(waiting, givenUp float64, since, problem any) {
			t.Helper()
			browser := in.Browser(servertest.Firefox)
			browser.Password(ada).Want(http.StatusOK)
			in.Change("DELETE FROM outbox WHERE kind = 'new_browser'") // of this browser
			state := browser.Do("GET", "/api/v1/mail", nil).Want(http.StatusOK).Body
			if state["sends"] != true || state["from"] != "no-reply@example.test" || state["language"] != "en" || state["waiting"] != waiting || state["given_up"] != givenUp ||
				state["waiting_since"] != since || state["last_problem"] != problem {
				t.Errorf("%v, want %v waiting since %v, %v given up, %q", state, waiting, since, givenUp, problem)
			}
		}
		expect(0, 0, nil, "")
		happens(t, in, id)
		told(t, in, ada, "Your password was changed")
		expect(0, 0, nil, "")

		in.Mailbox.Answer(func(string) error {
			return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "Come back later"}
		})
		since := in.Clock.Now().Truncate(time.Millisecond).Format(time.RFC3339Nano)
		happens(t, in, id)
		untold(t, in)
		const problem = "sending SMTP RCPT TO command: 450 4.2.0 Come back later"
		expect(1, 0, since, problem)
		in.Clock.Advance(3 * 24 * time.Hour)
		untold(t, in)
		expect(0, 1, nil, problem)
	}, mails)
}

func TestAdministratorsSeeThatNoMailLeaves(t *testing.T) {
	t.Parallel()
	in := servertest.OnSQLite(t)
	in.AddPerson("Ada", ada, "administrator")
	browser := in.Browser(servertest.Firefox)
	browser.Password(ada).Want(http.StatusOK)
	if sender := in.Browser(servertest.Firefox).Do("GET", "/api/v1/mail/sender", nil).Want(http.StatusOK).Body; sender["sends"] != false || sender["from"] != "" {
		t.Errorf("%v", sender)
	}
	if state := browser.Do("GET", "/api/v1/mail", nil).Want(http.StatusOK).Body; state["sends"] != false || state["server"] != "" {
		t.Errorf("%v", state)
	}
}
