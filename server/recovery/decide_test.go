package recovery_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/recovery"
	"github.com/secondstep/secondstep/server/servertest"
)

func (w *world) facts(by, ticket string) *servertest.Answer {
	w.t.Helper()
	return w.in(by).Do("GET", "/api/v1/tickets/"+ticket+"/recovery", nil).Want(http.StatusOK)
}

// TestRow53WhoDecides: nobody about themself; two for an administrator; one, and 48 hours, where there is one other; with none
// the console.
func TestRow53WhoDecides(t *testing.T) {
	t.Run("two others", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			in.Beside()
			w := people(t, in, boss, other, third)
			held := w.in(boss) // signed in before it is asked, so that it cancels nothing
			in.Mails()
			browser, ticket, _ := w.proved(boss)
			if told := browser.Do("GET", path, nil).Want(200).Body["recovery"].(body); told["approvals_needed"] != 2.0 {
				t.Errorf("%v", told)
			}
			decide(held, ticket, evidence).Refused(403, "own_recovery")
			decide(held, ticket, refusal).Refused(403, "own_recovery")
			if told := held.Do("GET", "/api/v1/tickets/"+ticket+"/recovery", nil).Want(200); told.Text("refusal") != "own_recovery" {
				t.Errorf("%s", told.Raw)
			}
			in.Clock.Advance(24*time.Hour + time.Minute)
			in.Mails()
			first := w.in(other)
			given := decide(first, ticket, evidence).Want(200)
			if given.Text("state") != "proved" || given.Body["approvals"] != 1.0 || given.Body["approvals_needed"] != 2.0 || given.Body["enrolment_link"] != nil {
				t.Errorf("%s", given.Raw)
			}
			decide(first, ticket, evidence).Refused(409, "already_decided")
			if told := w.facts(other, ticket); told.Text("refusal") != "already_decided" || len(told.Body["approvals"].([]any)) != 1 {
				t.Errorf("%s", told.Raw)
			}
			if w.state(boss) != "proved" {
				t.Error("one is not enough")
			}
			last := decide(w.in(third), ticket, evidence).Want(200)
			if last.Text("state") != "approved" || last.Body["mailed"] != true || last.Body["enrolment_link"] != nil {
				t.Errorf("%s", last.Raw)
			}
			if _, tokens := letters(in); tokens["enrol"] == "" {
				t.Error("no link came")
			}
		}, withMail)
	})
	t.Run("one other, and 48 hours", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w := people(t, in, boss, other)
			browser, ticket, _ := w.proved(boss)
			told := browser.Do("GET", path, nil).Want(200).Body["recovery"].(body)
			if told["approvals_needed"] != 1.0 || told["decidable_at"] != in.Clock.Now().Add(48*time.Hour).Truncate(time.Millisecond).Format(time.RFC3339Nano) {
				t.Errorf("%v", told)
			}
			in.Clock.Advance(47 * time.Hour)
			decide(w.in(other), ticket, evidence).Refused(409, "recovery_too_early")
			in.Clock.Advance(time.Hour)
			if given := decide(w.in(other), ticket, evidence).Want(200); given.Text("state") != "approved" {
				t.Errorf("%s", given.Raw)
			}
		}, withMail)
	})
	t.Run("one other who becomes the only one", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w := people(t, in, boss, other, third)
			_, ticket, _ := w.proved(boss)
			in.Clock.Advance(24*time.Hour + time.Minute)
			first := w.in(other)
			decide(first, ticket, evidence).Want(200)
			in.Change("UPDATE users SET disabled_at = 1 WHERE email = ?", third)
			decide(first, ticket, evidence).Refused(409, "recovery_too_early") // alone, they wait longer
			in.Clock.Advance(24 * time.Hour)
			if given := decide(w.in(other), ticket, evidence).Want(200); given.Text("state") != "approved" { // and what they gave counts
				t.Errorf("%s", given.Raw)
			}
			if given := w.events(boss, "recovery.approval_given"); len(given) != 2 { // what was said each time
				t.Errorf("%v", given)
			}
		}, withMail)
	})
	t.Run("none", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w := people(t, in, boss)
			in.AddPerson("Unprotected", other, "administrator") // one without a second step is nobody
			browser := halfway(in, boss)
			if told := browser.Do("GET", path, nil).Want(200); told.Body["askable"] != false || told.Text("refusal") != "recovery_on_console" {
				t.Errorf("%s", told.Raw)
			}
			ask(browser).Refused(409, "recovery_on_console")
			_ = w
		}, withMail)
	})
	t.Run("none any more", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w := people(t, in, boss, other)
			ticket, _ := w.ripe(boss)
			in.Change("UPDATE users SET mfa_since = NULL WHERE email = ?", other)
			in.Change("UPDATE users SET role = 'administrator' WHERE email = ?", mia)
			administrator := w.in(mia)
			if given := decide(administrator, ticket, evidence).Want(200); given.Text("state") != "approved" { // mia is the other now
				t.Errorf("%s", given.Raw)
			}
		}, withMail)
	})
	t.Run("no mail", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w := people(t, in, boss, other, third)
			browser := halfway(in, boss)
			ask(browser).Refused(409, "recovery_on_console") // nobody else may see an administrator's link
			if told := browser.Do("GET", path, nil).Want(200); told.Text("refusal") != "recovery_on_console" {
				t.Errorf("%s", told.Raw)
			}
			// The same where it stops leaving, or the mailbox must not get the link, once it was asked.
			_, ticket, _ := w.proved(mia)
			in.Change("UPDATE users SET role = 'administrator' WHERE email = ?", mia)
			in.Clock.Advance(48*time.Hour + time.Minute)
			decide(w.in(other), ticket, evidence).Refused(409, "recovery_on_console")
			if told := w.facts(other, ticket); told.Text("refusal") != "recovery_on_console" || told.Body["decidable"] != false {
				t.Errorf("%s", told.Raw)
			}
			decide(w.in(other), ticket, refusal).Want(200)
		})
	})
}

// TestApprovalsCountOfWhoCanStillDecide: an approval of somebody who is demoted, disabled or unprotected by then counts for
// nothing (rows 53 and 56), and never are more needed than there are.
func TestApprovalsCountOfWhoCanStillDecide(t *testing.T) {
	for name, change := range map[string]string{
		"demoted": "role = 'member'", "disabled": "disabled_at = 1", "without a second step": "mfa_since = NULL",
	} {
		t.Run(name, func(t *testing.T) {
			servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
				w := people(t, in, boss, other, third)
				ticket, _ := w.ripe(mia)
				if given := decide(w.in(other), ticket, evidence).Want(200); given.Text("state") != "proved" || given.Body["approvals_needed"] != 2.0 {
					t.Fatalf("%s", given.Raw)
				}
				in.Change("UPDATE users SET "+change+" WHERE email = ?", other)
				given := decide(w.in(boss), ticket, evidence).Want(200)
				if given.Text("state") != "proved" || given.Body["approvals"] != 1.0 || given.Body["approvals_needed"] != 2.0 {
					t.Errorf("%s", given.Raw)
				}
				if told := w.facts(third, ticket); len(told.Body["approvals"].([]any)) != 1 || told.Body["eligible"] != 2.0 {
					t.Errorf("%s", told.Raw)
				}
				if given := decide(w.in(third), ticket, evidence).Want(200); given.Text("state") != "approved" {
					t.Errorf("%s", given.Raw)
				}
			}, servertest.Options{Mail: true, Recovery: recovery.Settings{Approvals: 2}})
		})
	}
	t.Run("as many as there are", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w := people(t, in, boss, other)
			ticket, _ := w.ripe(mia)
			decide(w.in(boss), ticket, evidence).Want(200)
			if given := decide(w.in(other), ticket, evidence).Want(200); given.Text("state") != "approved" || given.Body["approvals_needed"] != 2.0 {
				t.Errorf("%s", given.Raw)
			}
		}, servertest.Options{Mail: true, Recovery: recovery.Settings{Approvals: 5}})
	})
}

// TestRow38And57ItTakesAProvedAdministrator: neither a stale proof, nor a backup code, nor somebody without a second step of their own, nor a member.
func TestRow38And57ItTakesAProvedAdministrator(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss)
		in.AddPerson("Open", other, "administrator")
		ticket, _ := w.ripe(mia)
		open := in.Browser(servertest.Firefox)
		open.Password(other).Want(200)
		decide(open, ticket, evidence).Refused(403, "own_mfa_first")
		if told := open.Do("GET", "/api/v1/tickets/"+ticket+"/recovery", nil).Want(200); told.Text("refusal") != "own_mfa_first" {
			t.Errorf("%s", told.Raw)
		}
		byCode := halfway(in, boss)
		byCode.Code(w.apps[boss].Codes[0]).Want(200)
		decide(byCode, ticket, evidence).Refused(403, "app_code_required")
		stale := w.in(boss)
		in.Clock.Advance(11 * time.Minute)
		decide(stale, ticket, evidence).Refused(403, "fresh_proof_required")
		in.Change("UPDATE users SET role = 'member' WHERE email = ?", boss)
		decide(w.in(boss), ticket, evidence).Refused(403, "not_permitted")
		if got := w.state(mia); got != "proved" {
			t.Errorf("%s", got)
		}
	}, withMail)
}

// TestRow50OutOfTurn: no step is done before the one before, twice, or with what belongs to another flow.
func TestRow50OutOfTurn(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		w := people(t, in, boss)
		const bea = "bea@example.test"
		w.apps[bea] = in.Protected(bea, "member")
		in.Mails()
		renew := func(ticket string) *servertest.Answer {
			return w.in(boss).Do("POST", "/api/v1/tickets/"+ticket+"/link", nil)
		}
		_, asked, tokens := w.asked(mia)
		decide(w.in(boss), asked, evidence).Refused(409, "recovery_changed")
		decide(w.in(boss), asked, refusal).Refused(409, "recovery_changed")
		renew(asked).Refused(409, "recovery_changed")
		in.Mails()
		browser := halfway(in, mia)
		prove(browser, tokens["recovery"]).Want(200)
		decide(w.in(boss), asked, evidence).Refused(409, "recovery_too_early")
		renew(asked).Refused(409, "recovery_changed")
		browser = halfway(in, mia)
		redeem(browser, tokens["recovery"]).Refused(410, "enrolment_link_expired")
		browser.Do("POST", servertest.Enrolments, body{}).Refused(401, "not_signed_in")
		for _, nowhere := range []string{w.id(mia), "01JZZZZZZZZZZZZZZZZZZZZZZZ"} {
			decide(w.in(boss), nowhere, evidence).Refused(404, "no_recovery")
			w.in(boss).Do("GET", "/api/v1/tickets/"+nowhere+"/recovery", nil).Refused(404, "no_recovery")
		}
		in.Change("INSERT INTO tickets (id, reference, kind, state, created_at, updated_at) VALUES ('01KHELP', 'HELP0-00000', 'help', 'open', 0, 0)")
		decide(w.in(boss), "01KHELP", evidence).Refused(404, "no_recovery")

		in.Clock.Advance(24*time.Hour + time.Minute)
		in.Mails()
		decide(w.in(boss), asked, evidence).Want(200)
		_, late := letters(in)
		decide(w.in(boss), asked, evidence).Refused(409, "recovery_changed")
		decide(w.in(boss), asked, refusal).Refused(409, "recovery_changed")
		// Mia's link opens nothing for Bea, whose own request is open and approved too.
		_, beasLink, _ := w.approved(bea, boss)
		redeem(halfway(in, bea), late["enrol"]).Refused(410, "enrolment_link_expired")
		redeem(halfway(in, mia), beasLink).Refused(410, "enrolment_link_expired")
		// Nor does the app of one end the other's.
		recovering, _, activate := w.begun(bea, beasLink)
		other, _, otherActivate := w.begun(mia, late["enrol"])
		other.Do("POST", activate, nil).Diagnosed("enrolment_expired")
		recovering.Do("POST", otherActivate, nil).Diagnosed("enrolment_expired")
		other.Do("POST", otherActivate, nil).Want(200)
		other.Do("POST", otherActivate, nil).Want(422) // once
		if w.state(mia) != "done" || w.state(bea) != "approved" {
			t.Error("one has ended the other")
		}
	}, withMail)
}

// TestWithoutMail: nobody proves an address, which is said; the link is shown once, to whoever approves, and who enrols with it is back in.
func TestWithoutMail(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		w := people(t, in, boss)
		asked := halfway(in, mia)
		filed := ask(asked).Want(200)
		if filed.Text("state") != "proved" || filed.Body["proof_by_mail"] != false || filed.Text("decidable_at") == "" {
			t.Errorf("%s", filed.Raw)
		}
		in.Clock.Advance(24*time.Hour + time.Minute)
		facts := w.facts(boss, filed.Text("id"))
		if facts.Text("proved_by") != "nothing" || !slices.Contains(warnings(facts), "proved_by_nothing") {
			t.Errorf("%s", facts.Raw)
		}
		given := decide(w.in(boss), filed.Text("id"), evidence).Want(200)
		_, token, ok := strings.Cut(given.Text("enrolment_link"), "/enrol#token=")
		if !ok || given.Body["mailed"] != false {
			t.Fatalf("%s", given.Raw)
		}
		if again := w.facts(boss, filed.Text("id")); strings.Contains(string(again.Raw), token) {
			t.Error("the link is shown twice")
		}
		browser, phone, activate := w.begun(mia, token)
		browser.Do("POST", activate, nil).Want(200)
		in.Clock.NextStep()
		halfway(in, mia).Code(phone.Code()).Want(200)
		if got := w.state(mia); got != "done" {
			t.Errorf("%s", got)
		}
	})
}

// TestTheirRequestHasEnded: whoever comes back with the password hears that it was refused, stopped or ran out, until they have
// signed in; what they have ended themself, by a code or by a press, they know.
func TestTheirRequestHasEnded(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss)
		told := func() any {
			t.Helper()
			browser := in.Browser(servertest.Safari)
			answer := browser.Password(mia).Want(200)
			if again := browser.Do("GET", "/api/v1/sign-in", nil).Want(200); again.Body["recovery_ended"] != answer.Body["recovery_ended"] {
				t.Errorf("%s, and a reload says %s", answer.Raw, again.Raw)
			}
			return answer.Body["recovery_ended"]
		}
		if said := told(); said != nil {
			t.Errorf("without a request: %v", said)
		}
		filed := ask(halfway(in, mia)).Want(200)
		if said := told(); said != nil {
			t.Errorf("under way: %v", said)
		}
		listed := func() body { // an administrator sees in the list whether there is something to decide
			t.Helper()
			return w.in(boss).Do("GET", "/api/v1/tickets?kind=recovery", nil).Want(200).Body["tickets"].([]any)[0].(body)["recovery"].(body)
		}
		if row := listed(); row["state"] != "proved" || row["decidable_at"] != filed.Text("decidable_at") {
			t.Errorf("%v", row)
		}
		decide(w.in(boss), filed.Text("id"), refusal).Want(200)
		if row := listed(); row["state"] != "refused" {
			t.Errorf("%v", row)
		}
		if said := told(); said != "refused" {
			t.Errorf("refused: %v", said)
		}
		in.Clock.Advance(8 * 24 * time.Hour)
		if said := told(); said != nil {
			t.Errorf("after a week: %v", said)
		}
		ask(halfway(in, mia)).Want(200)
		w.end(mia)
		if said := told(); said != "stopped" {
			t.Errorf("stopped: %v", said)
		}
		in.Clock.NextStep()
		halfway(in, mia).Code(w.apps[mia].Code()).Want(200)
		if said := told(); said != nil {
			t.Errorf("signed in since: %v", said)
		}
		withdrawn := halfway(in, mia)
		ask(withdrawn).Want(200)
		withdrawn.Do("DELETE", path, nil).Want(204)
		if said := told(); said != nil {
			t.Errorf("withdrawn: %v", said)
		}
	})
}

// TestRow49TheMailboxAloneOpensNothing: whoever chose the password through the mailbox lately gets no link there.
func TestRow49TheMailboxAloneOpensNothing(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss, other)
		in.Browser(servertest.Firefox).Do("POST", "/api/v1/forgotten-password", body{"email": mia}).Want(204)
		if err := in.First().Forgotten.Answer(context.Background()); err != nil {
			t.Fatal(err)
		}
		in.Change("UPDATE events SET kind = 'password.changed', method = 'password_link' WHERE kind = 'password_link.sent'")
		in.Mails()
		ticket, _ := w.ripe(mia)
		if got := warnings(w.facts(boss, ticket)); !slices.Contains(got, "password_by_mailbox") {
			t.Errorf("%v", got)
		}
		in.Mails()
		given := decide(w.in(boss), ticket, evidence).Want(200)
		if given.Body["mailed"] != false || given.Text("enrolment_link") == "" {
			t.Errorf("%s", given.Raw)
		}
		if _, tokens := letters(in); tokens["enrol"] != "" {
			t.Error("the mailbox got the link")
		}
		// And of an administrator there is no link at all then.
		in.Change("UPDATE users SET role = 'administrator' WHERE email = ?", mia)
		w.in(boss).Do("POST", "/api/v1/tickets/"+ticket+"/link", nil).Refused(409, "recovery_on_console")
	}, withMail)
}

// TestANewLink: while it is approved there is a new one, which voids the one before and what that has opened.
func TestANewLink(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		w := people(t, in, boss)
		ticket, link, _ := w.approved(mia, boss)
		recovering, _, activate := w.begun(mia, link)
		in.Clock.Advance(71 * time.Hour)
		recovering = recovering.On(in.First())
		if made := w.in(boss).Do("POST", "/api/v1/tickets/"+ticket+"/link", nil).Want(200); made.Text("state") != "approved" || made.Body["mailed"] != true {
			t.Errorf("%s", made.Raw)
		}
		if got := w.events(mia, "recovery.link_renewed"); len(got) != 1 {
			t.Errorf("%v", got)
		}
		_, tokens := letters(in)
		recovering.Do("POST", activate, nil).Refused(401, "session_ended")
		redeem(halfway(in, mia), link).Refused(410, "enrolment_link_expired")
		in.Clock.Advance(71 * time.Hour)
		browser, _, activate := w.begun(mia, tokens["enrol"])
		browser.Do("POST", activate, nil).Want(200)
		if got := w.state(mia); got != "done" {
			t.Errorf("%s", got)
		}
		w.in(boss).Do("POST", "/api/v1/tickets/"+ticket+"/link", nil).Refused(409, "recovery_changed")
	}, withMail)
}
