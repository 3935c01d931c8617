package recovery_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/recovery"
	"github.com/secondstep/secondstep/server/servertest"
)

// TestRow48OneRequest, and row 47: a hundred askings are one request and two mails, and change nothing on the account; three requests a day.
func TestRow48OneRequest(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		w := people(t, in, boss)
		browsers := make([]*servertest.Client, 4)
		for n := range browsers {
			browsers[n] = halfway(in, mia)
		}
		before := in.Column("SELECT mfa_since || ' ' || (SELECT count(*) FROM totp_apps) || ' ' || (SELECT count(*) FROM backup_codes) FROM users WHERE email = ?", mia)
		ids := make([][]string, len(browsers))
		servertest.Together(len(browsers), func(n int) {
			for range 25 {
				answer, err := browsers[n].Try("POST", path, body{"no_backup_codes": true, "no_other_browser": true})
				if err != nil || answer.Status != http.StatusOK {
					t.Errorf("%v %+v", err, answer)
					return
				}
				ids[n] = append(ids[n], answer.Text("id"))
			}
		})
		for _, some := range ids {
			for _, id := range some {
				if id != ids[0][0] {
					t.Errorf("%s beside %s", id, ids[0][0])
				}
			}
		}
		if got := len(in.Column("SELECT ticket_id FROM recoveries")); got != 1 {
			t.Errorf("%d requests", got)
		}
		if got := w.events(mia, "recovery.asked"); len(got) != 1 {
			t.Errorf("%v", got)
		}
		if subjects, _ := letters(in); len(subjects[mia]) != 2 {
			t.Errorf("mails: %v", subjects)
		}
		after := in.Column("SELECT mfa_since || ' ' || (SELECT count(*) FROM totp_apps) || ' ' || (SELECT count(*) FROM backup_codes) FROM users WHERE email = ?", mia)
		if before[0] != after[0] {
			t.Errorf("%s, and was %s", after[0], before[0])
		}
		browser := halfway(in, mia)
		for range 2 {
			w.end(mia)
			ask(browser).Want(200)
		}
		w.end(mia)
		refused := ask(browser).Refused(429, "recovery_too_often")
		if refused.Header.Get("Retry-After") == "" {
			t.Error("nobody says when it works again")
		}
		in.Clock.Advance(24*time.Hour + time.Minute)
		ask(halfway(in, mia)).Want(200)
	}, withMail)
}

// TestRow45WhoHasThePasswordKeepsNobodyOut: somebody who only has the password uses up what can be asked. The owner chooses a new
// password through the mailbox, or has one set, and asks; whoever had the old one asks no more.
func TestRow45WhoHasThePasswordKeepsNobodyOut(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		people(t, in, boss)
		thief := halfway(in, mia)
		for range 3 {
			ask(thief).Want(200)
			thief.Do("DELETE", path, nil).Want(204)
		}
		ask(thief).Refused(429, "recovery_too_often")
		ask(halfway(in, mia)).Refused(429, "recovery_too_often")
		in.Mails()

		owner := in.Browser(servertest.Safari)
		owner.Do("POST", "/api/v1/forgotten-password", body{"email": mia}).Want(204)
		token := ""
		for _, letter := range in.Mails() {
			if _, after, found := strings.Cut(letter.Text, "/new-password#token="); found {
				token, _, _ = strings.Cut(after, "\n")
			}
		}
		owner.Do("POST", "/api/v1/forgotten-password/password", body{"token": strings.TrimSpace(token), "password": "an entirely other one"}).Want(204)
		ask(thief).Diagnosed("sign_in_expired")
		owner.Do("POST", "/api/v1/sign-in", body{"email": mia, "password": "an entirely other one"}).Want(200)
		in.Mails()
		ask(owner).Want(200)
		if _, tokens := letters(in); tokens["recovery"] == "" || tokens["stop"] == "" {
			t.Errorf("the mailbox got %v", tokens)
		}
		owner.Do("DELETE", path, nil).Want(204)
		// No request waits for a mail that its mailbox gets no more within the hour.
		ask(owner).Want(200)
		owner.Do("DELETE", path, nil).Want(204)
		ask(owner).Refused(429, "recovery_too_often")
		in.Clock.Advance(time.Hour)
		owner.Do("POST", "/api/v1/sign-in", body{"email": mia, "password": "an entirely other one"}).Want(200)
		ask(owner).Want(200)
		// It is three again, and no more. A try to change the password that was refused counts for nothing.
		owner.Do("DELETE", path, nil).Want(204)
		ask(owner).Refused(429, "recovery_too_often")
		in.Change("UPDATE events SET result = 'refused' WHERE kind = 'password.changed'")
		in.Change("DELETE FROM events WHERE kind = 'recovery.asked' AND id NOT IN (SELECT id FROM events WHERE kind = 'recovery.asked' ORDER BY id LIMIT 3)")
		ask(owner).Refused(429, "recovery_too_often")
	}, withMail)
}

// end stops the person's open request by the console's hand, without a mail.
func (w *world) end(email string) {
	w.t.Helper()
	w.Change("UPDATE tickets SET state = 'solved' WHERE user_id = ?", w.id(email))
	w.Change("UPDATE recoveries SET state = 'stopped', ended_at = ? WHERE ended_at IS NULL AND user_id = ?", w.Clock.Now().UnixMilli(), w.id(email))
	w.Change("UPDATE users SET recovery = '' WHERE id = ?", w.id(email))
}

// TestWhatIsAsked: only who can need it asks, and writes what can be read.
func TestWhatIsAsked(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss)
		browser := halfway(in, mia)
		for message, code := range map[string]string{strings.Repeat("x", 1001): "too_long", "a\u202eb": "illegible", "a\u2028b": "illegible"} {
			refused := browser.Do("POST", path, body{"no_backup_codes": true, "no_other_browser": true, "message": []string{message}}).Want(422)
			if code == "illegible" && !strings.Contains(string(refused.Raw), "illegible") || code == "too_long" && !strings.Contains(string(refused.Raw), "too_long") {
				t.Errorf("%q: %s", message, refused.Raw)
			}
		}
		browser.Do("POST", path, body{"no_backup_codes": true, "no_other_browser": true, "message": []string{"Line one.", "", "Line two <b>&amp;", ""}}).Want(200)
		if got := in.Column("SELECT body FROM ticket_messages"); len(got) != 1 || got[0] != "Line one.\n\nLine two <b>&amp;" { // row 74
			t.Errorf("%q", got)
		}
		// Whoever was reset has a way in, and whoever is asked for no second step needs none.
		w.in(boss).Do("POST", "/api/v1/users/"+w.id(mia)+"/security/reset", body{"password": servertest.Password, "code": w.apps[boss].Code(), "reason": "Lost."}).Want(200)
		waits := halfway(in, mia)
		if told := waits.Do("GET", path, nil).Want(200); told.Body["askable"] != false || told.Text("refusal") != "enrolment_link_required" {
			t.Errorf("%s", told.Raw)
		}
		ask(waits).Refused(403, "enrolment_link_required")
	}, withMail)
}

// TestRow50Proof: the link proves the address of the request that it was mailed for, to whoever has the password besides, once and for a day.
func TestRow50Proof(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		w := people(t, in, boss)
		w.apps["bea@example.test"] = in.Protected("bea@example.test", "member")
		in.Mails()
		browser, _, tokens := w.asked(mia)
		beas, _, others := w.asked("bea@example.test")
		link := tokens["recovery"]

		in.Browser(servertest.Safari).Do("POST", path+"/proof", body{"token": link}).Refused(401, "not_signed_in")
		prove(beas, link).Refused(410, "recovery_link_expired")
		prove(browser, others["recovery"]).Refused(410, "recovery_link_expired")
		prove(browser, tokens["stop"]).Refused(410, "recovery_link_expired")
		prove(browser, link[:42]).Refused(410, "recovery_link_expired")
		if w.state(mia) != "asked" || w.state("bea@example.test") != "asked" {
			t.Fatal("somebody else's link has moved it")
		}
		prove(browser, link).Want(200)
		prove(browser, link).Refused(410, "recovery_link_expired") // once
		if w.state(mia) != "proved" || w.state("bea@example.test") != "asked" {
			t.Error("not the one that it was for")
		}
		// The link of a request that is over is not that of the next.
		browser.Do("DELETE", path, nil).Want(204)
		_, _, again := w.asked(mia)
		browser = halfway(in, mia)
		prove(browser, link).Refused(410, "recovery_link_expired")
		in.Clock.Advance(24 * time.Hour)
		browser = halfway(in, mia)
		prove(browser, again["recovery"]).Refused(410, "recovery_link_expired")
		if told := browser.Do("GET", path, nil).Want(200); told.Body["recovery"].(body)["state"] != "expired" || told.Body["askable"] != true {
			t.Errorf("%s", told.Raw)
		}
		// A sign-in that has ended proves nothing, also where it was there as the request came in.
		_, _, last := w.asked(mia)
		for name, send := range map[string]func(browser *servertest.Client) (*servertest.Answer, error){
			"prove": func(browser *servertest.Client) (*servertest.Answer, error) {
				return browser.Try("POST", path+"/proof", body{"token": last["recovery"]})
			},
			"withdraw": func(browser *servertest.Client) (*servertest.Answer, error) { return browser.Try("DELETE", path, nil) },
		} {
			gone := halfway(in, mia)
			release := in.Open("UPDATE users SET name = name", "DELETE FROM pending_sign_ins") // a new password, as it is being set
			answered := make(chan *servertest.Answer, 1)
			go func() {
				answer, err := send(gone)
				if err != nil {
					t.Error(err)
				}
				answered <- answer
			}()
			in.Blocked(1)
			release()
			if answer := <-answered; answer == nil || answer.Status != 422 {
				t.Errorf("%s: %+v", name, answer)
			}
			if got := w.state(mia); got != "asked" {
				t.Errorf("%s: %s", name, got)
			}
		}
	}, withMail)
}

// TestHowLongItTakesIsSaidBefore: by the installation's own delay, and by the longer one of an administrator with one other.
func TestHowLongItTakesIsSaidBefore(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss, other)
		for email, want := range map[string]float64{mia: 36 * 3600, boss: 48 * 3600} {
			signedIn := w.in(email)
			browser := halfway(in, email)
			if told := browser.Do("GET", path, nil).Want(200); told.Body["delay_seconds"] != want {
				t.Errorf("%s: %s", email, told.Raw)
			}
			ask(browser).Want(200)
			if seen := signedIn.Do("GET", own, nil).Want(200).Body["recovery"].(body); seen["delay_seconds"] != want {
				t.Errorf("%s: %v", email, seen)
			}
		}
		w.apps[third] = in.Protected(third, "administrator")
		if told := halfway(in, third).Do("GET", path, nil).Want(200); told.Body["delay_seconds"] != 36.0*3600 {
			t.Errorf("with two others: %s", told.Raw)
		}
	}, servertest.Options{Mail: true, Recovery: recovery.Settings{Delay: 36 * time.Hour}})
}

// TestConfirm: a browser that is signed in with a second step stands in for the proof, cancels nothing by it, and no other does.
func TestConfirm(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		w := people(t, in, boss)
		signedIn := w.in(mia)
		byCode := halfway(in, mia)
		byCode.Code(w.apps[mia].Codes[0]).Want(200)
		in.Change("UPDATE users SET requirement = 'off' WHERE email = ?", mia)
		byPassword := in.Browser(servertest.Firefox)
		byPassword.Password(mia).Want(200)
		in.Change("UPDATE users SET requirement = 'allowed' WHERE email = ?", mia)
		in.Mails()
		confirm := func(browser *servertest.Client, password string) *servertest.Answer {
			return browser.Do("POST", own+"/confirm", body{"password": password})
		}
		confirm(signedIn, servertest.Password).Refused(409, "recovery_changed")
		browser, ticket, tokens := w.asked(mia)
		confirm(byPassword, servertest.Password).Refused(403, "recovery_not_confirmable")
		if seen := byPassword.Do("GET", own, nil).Want(200).Body["recovery"].(body); seen["can_confirm"] != false {
			t.Errorf("%v", seen)
		}
		confirm(signedIn, "not the password").Refused(422, "wrong_password")
		w.in(boss).Do("POST", "/api/v1/users/"+w.id(mia)+"/security/recovery/confirm", body{"password": servertest.Password}).Refused(403, "not_permitted")
		if got := confirm(byCode, servertest.Password).Want(200).Body["recovery"].(body); got["state"] != "proved" || got["can_confirm"] != false {
			t.Errorf("%v", got)
		}
		confirm(signedIn, servertest.Password).Refused(409, "recovery_changed")
		prove(browser, tokens["recovery"]).Refused(410, "recovery_link_expired")
		if got := w.state(mia); got != "proved" {
			t.Errorf("%s", got)
		}
		facts := w.in(boss).Do("GET", "/api/v1/tickets/"+ticket+"/recovery", nil).Want(200)
		if facts.Text("proved_by") != "session" || facts.Text("refusal") != "recovery_too_early" || facts.Text("refuses_until") != facts.Text("decidable_at") {
			t.Errorf("%s", facts.Raw)
		}
	}, withMail)
}

// TestWithdraw: the browser that asked takes it back, and no other.
func TestWithdraw(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss)
		browser, _, _ := w.proved(mia)
		elsewhere := halfway(in, mia)
		elsewhere.Do("DELETE", path, nil).Refused(403, "recovery_elsewhere")
		if told := elsewhere.Do("GET", path, nil).Want(200).Body["recovery"].(body); told["here"] != false {
			t.Errorf("%v", told)
		}
		browser.Do("DELETE", path, nil).Want(204)
		browser.Do("DELETE", path, nil).Refused(404, "no_recovery")
		if got := w.state(mia); got != "cancelled" {
			t.Errorf("%s", got)
		}
		if got := w.events(mia, "recovery.cancelled"); len(got) != 1 || got[0] != "withdrawn " {
			t.Errorf("%v", got)
		}
	}, withMail)
}

// TestItRunsOut: each state has its time, which holds before the job has come by, and the mirror follows it.
func TestItRunsOut(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss)
		work := func() {
			t.Helper()
			if _, err := in.First().Upkeep.Once(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		w.asked(mia)
		in.Clock.Advance(24 * time.Hour)
		work()
		if got := w.state(mia); got != "expired" {
			t.Errorf("%s", got)
		}
		if subjects, _ := letters(in); len(subjects[mia]) != 0 {
			t.Errorf("mails: %v", subjects)
		}

		_, ticket, _ := w.proved(mia)
		in.Clock.Advance(14*24*time.Hour - time.Minute)
		work()
		if got := w.state(mia); got != "proved" {
			t.Errorf("%s", got)
		}
		administrator := w.in(boss)
		in.Clock.Advance(time.Minute)
		decide(administrator, ticket, evidence).Refused(409, "recovery_changed")
		work()
		if got := w.state(mia); got != "expired" {
			t.Errorf("%s", got)
		}

		ticket, link, _ := w.approved(mia, boss)
		browser := halfway(in, mia)
		redeem(browser, link).Want(200)
		in.Clock.Advance(72*time.Hour - time.Minute)
		administrator = w.in(boss)
		in.Clock.Advance(time.Minute)
		administrator.Do("POST", "/api/v1/tickets/"+ticket+"/link", nil).Refused(409, "recovery_changed")
		in.Mails()
		work()
		if got := w.state(mia); got != "expired" {
			t.Errorf("%s", got)
		}
		if subjects, _ := letters(in); strings.Join(subjects[mia], " ") != "Your request to get back in has run out" {
			t.Errorf("mails: %v", subjects)
		}
		// A year later nothing is left of it.
		in.Clock.Advance(366 * 24 * time.Hour)
		work()
		if left := in.Column("SELECT ticket_id FROM recoveries UNION ALL SELECT id FROM tickets"); len(left) > 0 {
			t.Errorf("%v", left)
		}
	}, withMail)
}

// TestTheSignInTellsOfIt: whoever comes back to a request with the password sees at the second step that there is one.
func TestTheSignInTellsOfIt(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		people(t, in, boss)
		browser := halfway(in, mia)
		if said := browser.Do("GET", "/api/v1/sign-in", nil).Want(200).Body["recovery"]; said != nil {
			t.Errorf("before: %v", said)
		}
		ask(browser).Want(200)
		if said := browser.Do("GET", "/api/v1/sign-in", nil).Want(200).Text("recovery"); said != "asked" {
			t.Errorf("in the browser that asked: %s", said)
		}
		came := in.Browser(servertest.Safari).Password(mia).Want(200)
		if came.Text("state") != "second_step" || came.Text("recovery") != "asked" {
			t.Errorf("in another: %s", came.Raw)
		}
	}, withMail)
}
