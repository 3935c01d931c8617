package recovery_test

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

type body = map[string]any

const (
	mia   = "mia@example.test" // a member, who loses everything
	boss  = "boss@example.test"
	other = "other@example.test"
	third = "third@example.test"

	path = "/api/v1/sign-in/recovery"
	own  = servertest.Security + "/recovery"
)

var (
	withMail = servertest.Options{Mail: true}
	tokenOf  = regexp.MustCompile(`/(recovery|stop|enrol)#token=([A-Za-z0-9_-]{43})`)
	evidence = body{"approve": true, "checked": []string{"Called back on the known number."}, "reason": "Lost the phone on a train."}
	refusal  = body{"approve": false, "checked": []string{}, "reason": "Nobody answered the phone."}
)

// letters sorts what has arrived: by address the subjects, by page the token of the last link.
func letters(in *servertest.Installation) (subjects map[string][]string, tokens map[string]string) {
	subjects, tokens = map[string][]string{}, map[string]string{}
	for _, letter := range in.Mails() {
		subjects[letter.To] = append(subjects[letter.To], letter.Subject)
		if found := tokenOf.FindStringSubmatch(letter.Text); found != nil {
			tokens[found[1]] = found[2]
		}
	}
	return subjects, tokens
}

// halfway opens a browser that gave the person's password.
func halfway(in *servertest.Installation, email string) *servertest.Client {
	browser := in.Browser(servertest.Safari)
	browser.Password(email).Want(http.StatusOK)
	return browser
}

func ask(browser *servertest.Client) *servertest.Answer {
	return browser.Do("POST", path, body{"no_backup_codes": true, "no_other_browser": true, "message": []string{"My phone is in the lake."}})
}

func prove(browser *servertest.Client, token string) *servertest.Answer {
	return browser.Do("POST", path+"/proof", body{"token": token})
}

func redeem(browser *servertest.Client, token string) *servertest.Answer {
	return browser.Do("POST", "/api/v1/sign-in/enrolment-link", body{"token": token})
}

func decide(administrator *servertest.Client, ticket string, given body) *servertest.Answer {
	return administrator.Do("POST", "/api/v1/tickets/"+ticket+"/decision", given)
}

// world is an installation with somebody who will lose everything, and administrators.
type world struct {
	*servertest.Installation
	t    *testing.T
	apps map[string]*servertest.Enrolled
}

// people adds a member, mia, and administrators, all with 2-step verification.
func people(t *testing.T, in *servertest.Installation, administrators ...string) *world {
	w := &world{Installation: in, t: t, apps: map[string]*servertest.Enrolled{}}
	for _, email := range administrators {
		w.apps[email] = in.Protected(email, "administrator")
	}
	w.apps[mia] = in.Protected(mia, "member")
	if in.Mailbox != nil {
		in.Mails()
	}
	return w
}

// in signs somebody in, with fresh proof.
func (w *world) in(email string) *servertest.Client {
	return w.SignedIn(email, w.apps[email], servertest.Firefox)
}

func (w *world) id(email string) string {
	return w.Column("SELECT id FROM users WHERE email = ?", email)[0]
}

// lastFirst has a request that is open before those that are not, of whichever instance's clock.
const lastFirst = "ORDER BY CASE WHEN r.ended_at IS NULL THEN 0 ELSE 1 END, r.ended_at DESC, r.ticket_id DESC LIMIT 1"

// state is what is on record of the person's last request, and whether all that mirrors it agrees.
func (w *world) state(email string) string {
	w.t.Helper()
	states := w.Column("SELECT r.state FROM recoveries r JOIN users u ON u.id = r.user_id WHERE u.email = ? "+lastFirst, email)
	if len(states) == 0 {
		return ""
	}
	mirror := w.Column("SELECT recovery FROM users WHERE email = ?", email)[0]
	ticket := w.Column("SELECT t.state FROM recoveries r JOIN tickets t ON t.id = r.ticket_id JOIN users u ON u.id = r.user_id WHERE u.email = ? "+lastFirst, email)[0]
	links := len(w.Column("SELECT user_id FROM enrolment_links WHERE user_id = ?", w.id(email)))
	want := map[string][2]string{"asked": {"asked", "unproved"}, "proved": {"proved", "open"}, "approved": {"approved", "open"}}[states[0]]
	if want[1] == "" {
		want = [2]string{"", "solved"}
	}
	if mirror != want[0] || ticket != want[1] || links > 0 && states[0] != "approved" {
		w.t.Errorf("%s, and the person is %q, the ticket %s, with %d links", states[0], mirror, ticket, links)
	}
	return states[0]
}

func (w *world) events(email, kind string) []string {
	return w.Column("SELECT COALESCE(reason, '') || ' ' || COALESCE(method, '') FROM events WHERE kind = ? AND subject_id = ? ORDER BY id", kind, w.id(email))
}

// asked lets somebody ask, and answers the ticket and the tokens of the two mails.
func (w *world) asked(email string) (browser *servertest.Client, ticket string, tokens map[string]string) {
	w.t.Helper()
	browser = halfway(w.Installation, email)
	ticket = ask(browser).Want(http.StatusOK).Text("id")
	if w.Mailbox != nil {
		_, tokens = letters(w.Installation)
	}
	return browser, ticket, tokens
}

// proved lets somebody ask and prove their address.
func (w *world) proved(email string) (browser *servertest.Client, ticket string, tokens map[string]string) {
	w.t.Helper()
	browser, ticket, tokens = w.asked(email)
	if w.Mailbox != nil {
		prove(browser, tokens["recovery"]).Want(http.StatusOK)
	}
	return browser, ticket, tokens
}

// ripe lets the waiting period pass as well.
func (w *world) ripe(email string) (ticket string, tokens map[string]string) {
	w.t.Helper()
	_, ticket, tokens = w.proved(email)
	w.Clock.Advance(48*time.Hour + time.Minute)
	return ticket, tokens
}

// approved lets administrators approve, the last of whom lets the link out, and answers its token.
func (w *world) approved(email string, by ...string) (ticket, link string, tokens map[string]string) {
	w.t.Helper()
	ticket, tokens = w.ripe(email)
	for _, administrator := range by {
		w.in(administrator).Do("POST", "/api/v1/tickets/"+ticket+"/decision", evidence).Want(http.StatusOK)
	}
	if w.Mailbox != nil {
		_, late := letters(w.Installation)
		return ticket, late["enrol"], tokens
	}
	w.t.Fatal("without mail the link is in the answer")
	return "", "", nil
}

// TestTheWholeStory is security.md rows 50 to 52, 54 and 73, as whoever lost everything lives it: stopped from a second browser, asked again, proved,
// waited for, approved, redeemed, enrolled, and read in the log.
func TestTheWholeStory(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside() // each request goes to the other instance
		w := people(t, in, boss)
		old := w.apps[mia]
		second := w.in(mia)
		in.Mails()

		// How long it will take is said before; then it is asked: nothing has changed, and everybody is told.
		browser := halfway(in, mia)
		first := browser.Do("GET", path, nil).Want(200)
		if first.Body["recovery"] != nil || first.Body["askable"] != true || first.Body["delay_seconds"] != 86_400.0 {
			t.Errorf("%s", first.Raw)
		}
		browser.Do("POST", path, body{"no_backup_codes": true, "no_other_browser": false}).Refused(422, "recovery_questions")
		filed := ask(browser).Want(200)
		if filed.Text("state") != "asked" || filed.Body["here"] != true || filed.Body["proof_by_mail"] != true || filed.Body["approvals_needed"] != 1.0 {
			t.Errorf("%s", filed.Raw)
		}
		subjects, tokens := letters(in)
		if got := subjects[mia]; len(got) != 2 || tokens["recovery"] == "" || tokens["stop"] == "" {
			t.Fatalf("mails: %v", subjects)
		}
		if got := second.Do("GET", "/api/v1/session", nil).Want(200).Text("recovery"); got != "asked" {
			t.Errorf("the second browser is told %q", got)
		}
		seen := second.Do("GET", own, nil).Want(200).Body["recovery"].(body)
		if seen["browser"] != "Safari on iPhone" || seen["can_confirm"] != true || seen["address"] != "127.0.0.1" {
			t.Errorf("%v", seen)
		}
		for _, secret := range []string{"browser", "address", "127.0.0.1"} { // a password alone reads neither
			if strings.Contains(string(browser.Do("GET", path, nil).Raw), secret) {
				t.Errorf("whoever has the password is told %s", secret)
			}
		}

		// Stopped from the second browser, by one press.
		in.Clock.Advance(time.Second)
		second.Do("POST", own+"/stop", nil).Want(204)
		in.Clock.Advance(time.Second)
		prove(browser, tokens["recovery"]).Refused(410, "recovery_link_expired")
		if got := w.state(mia); got != "stopped" {
			t.Errorf("%s", got)
		}
		if subjects, _ = letters(in); !slices.Equal(subjects[mia], []string{"The request to get back in was stopped"}) {
			t.Errorf("mails: %v", subjects)
		}
		second.Do("DELETE", "/api/v1/session", nil).Want(204)

		// Asked again, and proved by the link and the password together.
		browser = halfway(in, mia)
		if again := browser.Do("GET", path, nil).Want(200); again.Body["recovery"].(body)["state"] != "stopped" || again.Body["askable"] != true {
			t.Errorf("%s", again.Raw)
		}
		ticket := ask(browser).Want(200).Text("id")
		_, tokens = letters(in)
		in.Clock.Advance(time.Second)
		proved := prove(browser, tokens["recovery"]).Want(200)
		if proved.Text("state") != "proved" || proved.Text("decidable_at") != in.Clock.Now().Add(24*time.Hour).Truncate(time.Millisecond).Format(time.RFC3339Nano) {
			t.Errorf("%s", proved.Raw)
		}

		// The administrator is told that it waits, once, and when it is time; and has to say how they made sure.
		administrator := w.in(boss)
		in.Mails()
		for range 2 {
			if _, err := in.First().Upkeep.Once(context.Background()); err != nil {
				t.Fatal(err)
			}
			in.Clock.Advance(2 * time.Minute)
		}
		if subjects, _ = letters(in); !slices.Equal(subjects[boss], []string{"Somebody asks to get back in"}) {
			t.Errorf("mails: %v", subjects)
		}
		early := decide(administrator, ticket, evidence).Refused(409, "recovery_too_early")
		if early.Text("decidable_at") == "" || early.Header.Get("Retry-After") == "" {
			t.Errorf("%s", early.Raw)
		}
		in.Clock.Advance(24*time.Hour + time.Minute)
		if _, err := in.First().Upkeep.Once(context.Background()); err != nil {
			t.Fatal(err)
		}
		if subjects, _ = letters(in); !slices.Equal(subjects[boss], []string{"A request to get back in waits for you"}) {
			t.Errorf("mails: %v", subjects)
		}
		administrator = w.in(boss)
		in.Mails()
		facts := administrator.Do("GET", "/api/v1/tickets/"+ticket+"/recovery", nil).Want(200)
		if facts.Body["decidable"] != true || facts.Body["request"].(body)["message"] != "My phone is in the lake." || facts.Body["checklist"] != nil {
			t.Errorf("%s", facts.Raw)
		}
		for _, lacking := range []body{
			{"approve": true, "checked": []string{}, "reason": "I know her."},
			{"approve": true, "checked": []string{" "}, "reason": "I know her."},
			{"approve": true, "checked": []string{"Called back."}, "reason": " "},
			{"approve": false, "checked": []string{}, "reason": ""},
		} {
			decide(administrator, ticket, lacking).Refused(400, "recovery_evidence")
		}
		given := decide(administrator, ticket, evidence).Want(200)
		if given.Text("state") != "approved" || given.Body["enrolment_link"] != nil || given.Body["mailed"] != true { // row 51: only the person gets it
			t.Errorf("%s", given.Raw)
		}
		subjects, tokens = letters(in)
		if !slices.Equal(subjects[mia], []string{"You can get back in"}) || tokens["enrol"] == "" {
			t.Fatalf("mails: %v", subjects)
		}

		// Approval has removed nothing; the link opens nothing without the password, and with it no more than enrolling.
		browser = halfway(in, mia)
		if waits := browser.Do("GET", "/api/v1/sign-in", nil).Want(200); waits.Text("state") != "second_step" {
			t.Errorf("%s", waits.Raw)
		}
		redeem(browser, tokens["enrol"]).Want(200)
		session := browser.Do("GET", "/api/v1/session", nil).Want(200)
		if session.Body["confined_to"] != "enrolment" || session.Text("recovery") != "" || session.Body["mfa"].(body)["state"] != "off" {
			t.Errorf("%s", session.Raw)
		}
		browser.Do("GET", "/api/v1/users/me/sessions", nil).Refused(403, "enrolment_required")
		browser.Do("POST", own+"/stop", nil).Refused(403, "not_permitted")
		redeem(halfway(in, mia), tokens["enrol"]).Refused(410, "enrolment_link_expired") // once

		// Enrolled: only activation retires what was before.
		in.Clock.Advance(11 * time.Minute)
		browser.Do("POST", servertest.Enrolments, body{}).Refused(403, "fresh_proof_required")
		browser.Prove("").Want(200) // the password alone, since the factors are lost
		begun := browser.Do("POST", servertest.Enrolments, body{"name": "New phone"}).Want(201)
		phone := in.Scan(begun.Text("secret"))
		confirmed := browser.Confirm(begun.Text("id"), phone.Code()).Want(200)
		if len(confirmed.Texts("backup_codes")) != 10 || confirmed.Text("state") != "confirmed" {
			t.Errorf("%s", confirmed.Raw)
		}
		if apps := in.Column("SELECT id FROM totp_apps WHERE user_id = ?", w.id(mia)); !slices.Equal(apps, []string{old.ID}) {
			t.Errorf("before activation the apps are %v, want %s", apps, old.ID)
		}
		half := halfway(in, mia)
		browser.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil).Want(200)
		if got := w.state(mia); got != "done" {
			t.Errorf("%s", got)
		}
		half.Code(old.Code()).Diagnosed("sign_in_expired")
		in.Clock.NextStep()
		stale := halfway(in, mia)
		stale.Code(old.CodeUnlike(phone)).Diagnosed("previous_setup")
		stale.Code(old.Codes[0]).Want(422)
		stale.Code(phone.Code()).Want(200)
		if page := browser.Do("GET", servertest.Security, nil).Want(200); page.Body["mfa"].(body)["state"] != "on" {
			t.Errorf("%s", page.Raw)
		}
		if subjects, _ = letters(in); !slices.Contains(subjects[mia], "You are back in") {
			t.Errorf("mails: %v", subjects)
		}

		// All of it is in the log.
		var story []string
		for _, kind := range in.Column("SELECT kind FROM events WHERE kind LIKE 'recovery.%' ORDER BY id") {
			story = append(story, strings.TrimPrefix(kind, "recovery."))
		}
		if got := strings.Join(story, " "); got != "asked stopped asked proved approval_given approved completed" {
			t.Errorf("%s", got)
		}
		log := w.in(boss).Do("GET", "/api/v1/audit?kind=recovery.approval_given", nil).Want(200)
		if !strings.Contains(string(log.Raw), "Lost the phone on a train.") || !strings.Contains(string(log.Raw), "Called back on the known number.") {
			t.Errorf("%s", log.Raw)
		}
	}, withMail)
}
