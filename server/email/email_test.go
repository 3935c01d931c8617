package email_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

type body = map[string]any

const (
	ada = "ada@example.test"
	ann = "ann@example.test"
	me  = "/api/v1/users/me"
	own = me + "/email"
)

func path(id string) string { return "/api/v1/users/" + id }

var tokenOf = regexp.MustCompile(`/(email|stop|enrol)#token=([A-Za-z0-9_-]{43})`)

// post is what has arrived, by address.
type post map[string][]*servertest.Letter

func mails(in *servertest.Installation) post {
	all := post{}
	for _, letter := range in.Mails() {
		all[letter.To] = append(all[letter.To], letter)
	}
	return all
}

// link is the token of the one link to the page that came to the address.
func (p post) link(t *testing.T, to, page string) string {
	t.Helper()
	var found []string
	for _, letter := range p[to] {
		if match := tokenOf.FindStringSubmatch(letter.Text); match != nil && match[1] == page {
			found = append(found, match[2])
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d links to /%s came to %s: %v", len(found), page, to, p.subjects(to))
	}
	return found[0]
}

func (p post) subjects(to string) []string {
	var all []string
	for _, letter := range p[to] {
		all = append(all, letter.Subject)
	}
	slices.Sort(all)
	return all
}

// got fails the test unless these are the mails that came to the address.
func (p post) got(t *testing.T, to string, subjects ...string) {
	t.Helper()
	slices.Sort(subjects)
	if !slices.Equal(p.subjects(to), subjects) {
		t.Errorf("to %s: %q, want %q", to, p.subjects(to), subjects)
	}
}

func idOf(in *servertest.Installation, address string) string {
	return in.Column("SELECT id FROM users WHERE email = ?", address)[0]
}

func addressOf(in *servertest.Installation, id string) string {
	return in.Column("SELECT email FROM users WHERE id = ?", id)[0]
}

// person is somebody with 2-step verification, signed in with fresh proof, and their mailbox empty.
func person(in *servertest.Installation, address, role string) (id string, app *servertest.Enrolled, browser *servertest.Client) {
	app = in.Protected(address, role)
	browser = in.SignedIn(address, app, servertest.Firefox)
	if in.Mailbox != nil {
		in.Mails()
	}
	return idOf(in, address), app, browser
}

func confirm(browser *servertest.Client, token string) *servertest.Answer {
	return browser.Do("POST", own+"/confirm", body{"token": token})
}

// What a change of one's own does, mail by mail (security.md rows 34, 73, 74).
func TestOwnAddress(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id, app, browser := person(in, ada, "member")
		other := in.SignedIn(ada, app, servertest.Safari)
		pending := in.Browser(servertest.Safari)
		pending.Password(ada).Want(200)
		in.Mails()

		for _, wrong := range []string{"", "x", "a b@example.test", ada} {
			browser.Do("POST", own, body{"email": wrong}).Refused(422, "invalid_input")
		}
		asked := browser.Do("POST", own, body{"email": " ann@example.test "}).Want(200)
		if asked.Text("email") != ann || asked.Body["email_link"] != nil || asked.Text("expires_at") != in.Clock.Now().Add(24*time.Hour).Format(time.RFC3339) {
			t.Errorf("%s", asked.Raw)
		}
		came := mails(in)
		came.got(t, ada, "Your e-mail address is to change")
		came.got(t, ann, "Is this your address?")
		if text := came[ann][0].Text; strings.Contains(text, "127.0.0.1") || strings.Contains(text, ada) {
			t.Errorf("a stranger learns too much:\n%s", text)
		}
		first := came.link(t, ann, "email")
		if addressOf(in, id) != ada {
			t.Error("it changed before it was proved")
		}
		waits := browser.Do("GET", me, nil).Want(200).Body["email_change"].(map[string]any)
		if waits["email"] != ann || waits["asked"] != "self" {
			t.Errorf("%v", waits)
		}

		browser.Do("POST", own, body{"email": ann}).Want(200) // again
		token := mails(in).link(t, ann, "email")
		confirm(browser, first).Refused(410, "email_link_expired")
		in.Browser(servertest.Safari).Do("POST", own+"/confirm", body{"token": token}).Refused(401, "not_signed_in")
		stranger := in.Protected("eve@example.test", "member")
		eve := in.SignedIn("eve@example.test", stranger, servertest.Firefox)
		in.Mails()
		confirm(eve, token).Refused(410, "email_link_expired") // it is not hers
		for _, none := range []string{"", "x", token + "x", token[:42]} {
			confirm(browser, none).Refused(410, "email_link_expired")
		}

		in.Clock.Advance(15 * time.Minute) // the proof is stale, and the press asks for none
		before := browser.Cookie(servertest.SessionCookie)
		done := confirm(browser, token).Want(200)
		if done.Text("email") != ann || done.Body["sessions_ended"] != 1.0 {
			t.Errorf("%s", done.Raw)
		}
		confirm(browser, token).Refused(410, "email_link_expired")
		other.Do("GET", me, nil).Refused(401, "session_ended")
		in.Holding(servertest.SessionCookie, before).Do("GET", me, nil).Refused(401, "session_ended")
		pending.Code(app.Code()).Diagnosed("sign_in_expired")
		said := browser.Do("GET", me, nil).Want(200)
		if said.Body["email_change"] != nil || said.Body["user"].(map[string]any)["email"] != ann {
			t.Errorf("%s", said.Raw)
		}
		came = mails(in)
		came.got(t, ada, "Your e-mail address is changed")
		came.got(t, ann, "This is your e-mail address now")
		in.Browser(servertest.Safari).Password(ada).Refused(401, "bad_credentials")
		in.Browser(servertest.Safari).Password(ann).Want(200)

		kinds := in.Column("SELECT kind FROM events WHERE subject_id = ? AND kind LIKE 'email.%' ORDER BY id", id)
		if !slices.Equal(kinds, []string{"email.asked", "email.asked", "email.changed"}) {
			t.Errorf("%v", kinds)
		}
		if why := in.Column("SELECT reason FROM events WHERE subject_id = ? AND kind = 'session.ended' ORDER BY id DESC LIMIT 1", id); why[0] != "email_changed" {
			t.Errorf("%v", why)
		}
		for _, typed := range in.Column("SELECT data FROM events WHERE kind LIKE 'email.%' AND data IS NOT NULL") {
			t.Errorf("an event has what was typed: %s", typed)
		}
	}, servertest.Options{Mail: true})
}

// Rows 37, 38 and 40: what it takes to ask.
func TestRow37AskingTakesFreshProof(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id, app, browser := person(in, ada, "member")
		in.Clock.Advance(11 * time.Minute)
		browser.Do("POST", own, body{"email": ann}).Refused(403, "fresh_proof_required")
		browser.Prove(app.Codes[0]).Want(200)
		browser.Do("POST", own, body{"email": ann}).Refused(403, "app_code_required")
		by := in.Browser(servertest.Safari)
		by.Password(ada).Want(200)
		by.Code(app.Codes[1]).Want(200)
		by.Do("POST", own, body{"email": ann}).Refused(403, "app_code_required")
		half := in.Browser(servertest.Safari)
		half.Password(ada).Want(200)
		half.Do("POST", own, body{"email": ann}).Refused(401, "not_signed_in")
		_, _, eve := person(in, "eve@example.test", "member")
		eve.Do("POST", path(id)+"/email", body{"email": ann}).Refused(403, "not_permitted")
		eve.Do("DELETE", path(id)+"/email", nil).Refused(403, "not_permitted")
		eve.Do("POST", path(id)+"/email/confirm", body{"token": "x"}).Refused(403, "not_permitted")
		if len(in.Column("SELECT user_id FROM email_changes")) != 0 {
			t.Error("something waits")
		}
		browser.Prove(app.Code()).Want(200)
		browser.Do("POST", own, body{"email": ann}).Want(200)
		browser.Do("DELETE", own, nil).Want(204)
		browser.Do("DELETE", own, nil).Refused(404, "no_email_change")
		confirm(browser, mails(in).link(t, ann, "email")).Refused(410, "email_link_expired")

		// Whoever has no second step proves themself by the password.
		in.AddPerson("Bob", "bob@example.test", "member")
		bob := in.Browser(servertest.Firefox)
		bob.Password("bob@example.test").Want(200)
		in.Clock.NextStep()
		browser.Prove(app.Code()).Want(200)
		browser.Do("POST", own, body{"email": ann}).Want(200)
		token := mails(in).link(t, ann, "email")
		confirm(by, token).Refused(403, "app_code_required")
		by.Prove(app.Codes[2]).Want(200)
		confirm(by, token).Refused(403, "app_code_required")
		in.Clock.NextStep()
		by.Prove(app.Code()).Want(200)
		confirm(by, token).Want(200)
		bob.Do("POST", own, body{"email": "rob@example.test"}).Want(200)
		in.Clock.Advance(11 * time.Minute)
		bob.Do("POST", own, body{"email": "rob@example.test"}).Refused(403, "fresh_proof_required")
		confirm(bob, mails(in).link(t, "rob@example.test", "email")).Want(200)
	}, servertest.Options{Mail: true})
}

// Row 6: an address that somebody has is answered, shown and counted like any other, and its owner is told.
func TestRow6TakenIsAnsweredLikeFree(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id, app, browser := person(in, ada, "member")
		in.AddPerson("Bob", "bob@example.test", "member")
		stripped := func(answer *servertest.Answer, address string) string {
			text, _, _ := strings.Cut(string(answer.Raw), `"request_id"`)
			for _, name := range []string{"Content-Length", "Retry-After"} {
				text += " " + name + " " + answer.Header.Get(name)
			}
			return strings.ReplaceAll(text, address, "…")
		}
		var said [2][]string
		for n, address := range []string{"bib@example.test", "bob@example.test"} {
			for range 6 {
				said[n] = append(said[n], stripped(browser.Do("POST", own, body{"email": strings.ToUpper(address[:1]) + address[1:]}), strings.ToUpper(address[:1])+address[1:]))
				said[n] = append(said[n], stripped(browser.Do("GET", me, nil).Want(200), strings.ToUpper(address[:1])+address[1:]))
			}
			came := mails(in)
			if n == 0 {
				if len(came["Bib@example.test"]) != 5 {
					t.Errorf("%v", came.subjects("Bib@example.test"))
				}
			} else if subjects := came.subjects("bob@example.test"); len(subjects) != 5 || subjects[0] != "This address belongs to your account" || tokenOf.MatchString(came["bob@example.test"][0].Text) {
				t.Errorf("%v", subjects)
			}
			in.Clock.Advance(time.Hour)
			browser = in.SignedIn(ada, app, servertest.Firefox)
			in.Mails()
		}
		// Times move on between the two; the rest is the same.
		times := regexp.MustCompile(`2026-03-1[23]T[0-9:.]+Z`)
		for n := range said[0] {
			free, taken := times.ReplaceAllString(said[0][n], "…"), times.ReplaceAllString(said[1][n], "…")
			if free != taken {
				t.Errorf("%d: %s, and %s", n, free, taken)
			}
		}
		if !strings.Contains(said[0][10], "too_many_changes") { // row 47: five within an hour
			t.Errorf("%s", said[0][10])
		}
		if addressOf(in, id) != ada {
			t.Error("it changed")
		}
	}, servertest.Options{Mail: true})
}

// Row 55: links are of the public URL whatever a request says, and row 74: opening one changes nothing.
func TestRow55And74LinksOfEmail(t *testing.T) {
	in := servertest.OnSQLite(t, servertest.Options{Mail: true})
	id, _, browser := person(in, ada, "member")
	for _, header := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-Host"} {
		browser.Header.Set(header, "evil.example")
	}
	browser.Do("POST", own, body{"email": ann}).Want(200)
	came := mails(in)
	if text := came[ann][0].Text; !strings.Contains(text, servertest.MailURL+"/email#token=") || strings.Contains(text, "evil.example") {
		t.Errorf("%s", text)
	}
	token := came.link(t, ann, "email")
	browser.Do("GET", "/email", nil).Want(200)
	browser.Do("GET", own+"/confirm?token="+token, nil)
	if addressOf(in, id) != ada {
		t.Error("a GET has changed it")
	}
	confirm(browser, token).Want(200)
	came = mails(in)
	if text := came[ada][0].Text; !strings.Contains(text, servertest.MailURL+"/stop#token=") || strings.Contains(text, "evil.example") {
		t.Errorf("%s", text)
	}
	stop := came.link(t, ada, "stop")
	browser.Do("GET", "/stop", nil).Want(200)
	browser.Do("GET", "/api/v1/stop?token="+stop, nil)
	browser.Do("POST", "/api/v1/stop/link", body{"token": stop}).Want(200)
	if addressOf(in, id) != ann {
		t.Error("looking has stopped it")
	}
}

// An administrator asks, and the person confirms (rows 56 and 57, and an administrator's e-mail).
func TestByAnAdministrator(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		id, _, browser := person(in, ada, "member")
		_, bossApp, boss := person(in, "boss@example.test", "administrator")
		secondID, _, second := person(in, "second@example.test", "administrator")
		in.AddPerson("Unprotected", "plain@example.test", "administrator")
		plain := in.Browser(servertest.Firefox)
		plain.Password("plain@example.test").Want(200)
		plain.Do("POST", path(id)+"/email", body{"email": ann}).Refused(403, "own_mfa_first")
		in.Mails()

		boss.Do("POST", path(id)+"/email", body{"email": "second@example.test"}).Refused(409, "email_taken")
		boss.Do("POST", path("01JZZZZZZZZZZZZZZZZZZZZZZZ")+"/email", body{"email": ann}).Refused(404, "no_user")
		asked := boss.Do("POST", path(id)+"/email", body{"email": ann}).Want(200)
		if asked.Body["email_link"] != nil {
			t.Errorf("the administrator sees the link: %s", asked.Raw)
		}
		came := mails(in)
		came.got(t, ada, "Your e-mail address is to change")
		if text := came[ada][0].Text; !strings.Contains(text, "An administrator of your account") || strings.Contains(text, "127.0.0.1") {
			t.Errorf("%s", text)
		}
		token := came.link(t, ann, "email")
		confirm(boss, token).Refused(410, "email_link_expired") // it takes the person
		if seen := boss.Do("GET", path(id), nil).Want(200).Body["email_change"].(map[string]any); seen["asked"] != "administrator" {
			t.Errorf("%v", seen)
		}
		boss.Do("DELETE", path(id)+"/email", nil).Want(204)
		confirm(browser, token).Refused(410, "email_link_expired")
		boss.Do("POST", path(id)+"/email", body{"email": ann}).Want(200)
		confirm(browser, mails(in).link(t, ann, "email")).Want(200)

		// Another administrator's takes both of them.
		boss.Do("POST", path(secondID)+"/email", body{"email": "zweite@example.test"}).Want(200)
		confirm(second, mails(in).link(t, "zweite@example.test", "email")).Want(200)

		invited := boss.Do("POST", "/api/v1/users", body{"name": "Nia", "email": "nia@example.test", "role": "member"}).Want(201)
		boss.Do("POST", path(invited.Body["user"].(map[string]any)["id"].(string))+"/email", body{"email": "mia@example.test"}).Refused(409, "not_joined")

		in.Clock.Advance(11 * time.Minute)
		boss.Do("POST", path(id)+"/email", body{"email": ada}).Refused(403, "fresh_proof_required")
		boss.Prove(bossApp.Codes[0]).Want(200)
		boss.Do("POST", path(id)+"/email", body{"email": ada}).Refused(403, "app_code_required")
		boss.Prove(bossApp.Code()).Want(200)
		in.Change("UPDATE users SET role = 'member' WHERE email = 'boss@example.test'")
		boss.Do("POST", path(id)+"/email", body{"email": ada}).Refused(403, "not_permitted")
	}, servertest.Options{Mail: true})
}

// Where no mail leaves, a member's link is an administrator's to hand over, once; one's own address is not one's to prove.
func TestWithoutAMailServer(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id, _, browser := person(in, ada, "member")
		_, _, boss := person(in, "boss@example.test", "administrator")
		for _, one := range []*servertest.Client{browser, boss} {
			one.Do("POST", own, body{"email": ann}).Refused(409, "no_mail_server")
			if view := one.Do("GET", me, nil).Want(200); view.Body["mails"] != false {
				t.Errorf("%s", view.Raw)
			}
		}
		link := boss.Do("POST", path(id)+"/email", body{"email": ann}).Want(200).Text("email_link")
		found := tokenOf.FindStringSubmatch(link)
		if found == nil || strings.Contains(string(boss.Do("GET", path(id), nil).Want(200).Raw), found[2]) {
			t.Fatalf("%s", link)
		}
		confirm(boss, found[2]).Refused(410, "email_link_expired")
		confirm(browser, found[2]).Want(200)
		if addressOf(in, id) != ann || len(in.Column("SELECT user_id FROM stops")) != 0 {
			t.Error("it did not change, or something can be stopped by nobody")
		}
	})
}

// Row 47: an address is sent five such mails within an hour, however many people ask for it.
func TestRow47AnAddressIsNotFlooded(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		for _, name := range []string{"a", "b"} {
			_, _, browser := person(in, name+"@example.test", "member")
			for range 4 {
				browser.Do("POST", own, body{"email": ann}).Want(200)
			}
		}
		if queued := in.Column("SELECT id FROM outbox WHERE address = ?", ann); len(queued) != 5 {
			t.Errorf("%d mails", len(queued))
		}
	}, servertest.Options{Mail: true})
}

// "This wasn't me" withdraws what waits: whoever has the session may have asked for it.
// The console gives anybody another address, an administrator too; the one of before can stop that as well.
func TestOnTheConsole(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id, _, browser := person(in, "boss@example.test", "administrator")
		browser.Do("POST", own, body{"email": ann}).Want(200)
		in.Mails()
		if err := in.First().SetEmail(t.Context(), id, " New.Boss@example.test "); err != nil {
			t.Fatal(err)
		}
		browser.Do("GET", me, nil).Refused(401, "session_ended")
		if addressOf(in, id) != "New.Boss@example.test" || len(in.Column("SELECT user_id FROM email_changes")) != 0 {
			t.Error(addressOf(in, id))
		}
		came := mails(in)
		came.got(t, "New.Boss@example.test", "This is your e-mail address now")
		if text := came["boss@example.test"][0].Text; !strings.Contains(text, "Somebody at the server itself") {
			t.Errorf("%s", text)
		}
		in.Browser(servertest.Safari).Do("POST", "/api/v1/stop", body{"token": came.link(t, "boss@example.test", "stop")}).Want(200)
		if addressOf(in, id) != "boss@example.test" {
			t.Error(addressOf(in, id))
		}
	}, servertest.Options{Mail: true})
}

// Whoever goes back to an address of before undoes the change: the address that they leave, a thief's perhaps, gets
// nothing to stop that with, and is told of nothing more.
func TestWhoGoesBackIsNotStopped(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id, _, browser := person(in, ada, "member")
		browser.Do("POST", own, body{"email": ann}).Want(200)
		confirm(browser, mails(in).link(t, ann, "email")).Want(200)
		in.Mails()
		if err := in.First().SetEmail(t.Context(), id, "ADA@example.test"); err != nil {
			t.Fatal(err)
		}
		if offers := in.Column("SELECT user_id FROM stops"); len(offers) != 0 {
			t.Errorf("%d links to stop are left", len(offers))
		}
		in.SetPassword(id, "nine green cups of tea")
		for _, letter := range in.Mails() {
			if letter.To == ann {
				t.Errorf("the address that was left is told: %s", letter.Text)
			}
		}
	}, servertest.Options{Mail: true})
}
