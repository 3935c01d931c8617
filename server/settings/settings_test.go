package settings_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/secondstep/secondstep/server/servertest"
	"github.com/secondstep/secondstep/server/settings"
)

type body = map[string]any

const (
	boss = "boss@example.test"
	path = "/api/v1/settings"
)

// administrator is one with 2-step verification on and fresh proof by the app.
func administrator(in *servertest.Installation) *servertest.Client {
	return in.SignedIn(boss, in.Protected(boss, "administrator"), servertest.Firefox)
}

// events are those of a kind, as their data.
func events(t *testing.T, in *servertest.Installation, kind string) (found []body) {
	t.Helper()
	for _, text := range in.Column("SELECT COALESCE(data, '{}') FROM events WHERE kind = ? AND actor_id IS NOT NULL AND subject_id IS NULL", kind) {
		var data body
		if err := json.Unmarshal([]byte(text), &data); err != nil {
			t.Fatal(err)
		}
		found = append(found, data)
	}
	return found
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestSettings(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside() // each request goes to the other instance: what one is told, the other knows
		browser := administrator(in)
		first := browser.Do("GET", path, nil).Want(200)
		same(t, "brand", first.Body["brand"], "MailMachine")
		same(t, "fixed brand", first.Body["brand_fixed"], false)
		same(t, "accent", first.Body["accent"], nil)
		same(t, "new people", first.Body["new_people"], body{"requirement": "allowed", "days": 0.0})
		same(t, "flags", first.Body["fixed"], []any{body{"name": "log-level", "value": "info"}})

		changed := browser.Do("PATCH", path, body{"brand": "  Acme & Söhne ", "accent": "#0A7A55"}).Want(200)
		same(t, "brand", changed.Body["brand"], "Acme & Söhne")
		same(t, "accent", changed.Body["accent"], "#0a7a55")
		for range 2 { // both instances
			page := string(in.Browser(servertest.Firefox).Do("GET", "/sign-in", nil).Want(200).Raw)
			if !strings.Contains(page, "<title>Acme &amp; Söhne</title>") || !strings.Contains(page, `href="/accent/0a7a55.css"`) {
				t.Errorf("the page: %s", page)
			}
			if sheet := browser.Do("GET", "/accent/0a7a55.css", nil).Want(200); !strings.HasPrefix(string(sheet.Raw), "html:root{--accent:light-dark(#0a7a55,") {
				t.Errorf("%s", sheet.Raw)
			}
		}
		same(t, "events", events(t, in, "brand.changed"), []body{{"from": "MailMachine", "to": "Acme & Söhne"}})
		same(t, "events", events(t, in, "accent.changed"), []body{{"from": "", "to": "#0a7a55"}})

		// The name is in the app of who enrols from now on, and is nothing that a password is made of.
		in.AddPerson("Mia", "mia@example.test", "member")
		other := in.Browser(servertest.Safari)
		other.Password("mia@example.test").Want(200)
		begun := other.Do("POST", servertest.Enrolments, body{}).Want(201)
		if uri := begun.Text("otpauth_uri"); !strings.Contains(uri, "issuer=Acme%20%26%20S%C3%B6hne") {
			t.Errorf("%s", uri)
		}
		other.Do("POST", servertest.Security+"/password", body{"password": servertest.Password, "new_password": "acme & söhne 12"}).Refused(422, "invalid_input")

		// What is so already leaves no event; what is left out stays.
		browser.Do("PATCH", path, body{"brand": "Acme & Söhne"}).Want(200)
		back := browser.Do("PATCH", path, body{"accent": ""}).Want(200)
		same(t, "accent", back.Body["accent"], nil)
		same(t, "brand", back.Body["brand"], "Acme & Söhne")
		if got := len(events(t, in, "brand.changed")); got != 1 {
			t.Errorf("%d events", got)
		}
		log := browser.Do("GET", "/api/v1/audit?kind=brand.changed", nil).Want(200)
		if !strings.Contains(string(log.Raw), `"to":"Acme`) {
			t.Errorf("%s", log.Raw)
		}
	}, servertest.Options{Fixed: []settings.Fixed{{Name: "log-level", Value: "info"}}})
}

func TestSettingsThatAreRefused(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		browser := administrator(in)
		for _, c := range []struct {
			change      body
			field, code string
		}{
			{body{"brand": " "}, "brand", "required"},
			{body{"brand": strings.Repeat("x", 61)}, "brand", "too_long"},
			{body{"brand": "a\u202eb"}, "brand", "illegible"},
			{body{"accent": "red"}, "accent", "colour_invalid"},
			{body{"accent": "#0a7a55;}"}, "accent", "colour_invalid"},
			{body{"accent": "#ffd400"}, "accent", "contrast_too_low"},
			{body{"new_people": body{"requirement": "allowed", "days": 3}}, "new_people.days", "without_required"},
			{body{"new_people": body{"requirement": "off", "days": 0}}, "new_people.reason", "required"}, // row 58
		} {
			refused := browser.Do("PATCH", path, c.change).Refused(422, "invalid_input")
			fields := refused.Body["fields"].([]any)
			if field := fields[0].(map[string]any); len(fields) != 1 || field["name"] != c.field || field["code"] != c.code {
				t.Errorf("%v: %v", c.change, fields)
			}
			if c.code == "contrast_too_low" && !strings.Contains(string(refused.Raw), `"nearest":"#8d7400"`) {
				t.Errorf("%s", refused.Raw)
			}
		}
		for _, wrong := range []body{
			{"new_people": body{"requirement": "required", "days": 366}}, {"new_people": body{"requirement": "required", "days": -1}},
			{"new_people": body{"requirement": "never", "days": 0}}, {"accent": strings.Repeat("#", 30)},
		} {
			browser.Do("PATCH", path, wrong).Refused(422, "invalid_input")
		}
		// All of it is done, or nothing is.
		browser.Do("PATCH", path, body{"brand": "Acme", "accent": "#ffd400"}).Refused(422, "invalid_input")
		same(t, "brand", browser.Do("GET", path, nil).Want(200).Body["brand"], "MailMachine")
	})
}

// TestWhoSetsWhat: rows 38 and 56, and the decision on administrators' own 2-step verification.
func TestWhoSetsWhat(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		browser := administrator(in)
		key := browser.Do("GET", path, nil).Want(200).Body["key"].(map[string]any)["id"]
		writes := map[string]func(*servertest.Client) *servertest.Answer{
			"settings": func(c *servertest.Client) *servertest.Answer { return c.Do("PATCH", path, body{"brand": "Acme"}) },
			"key": func(c *servertest.Client) *servertest.Answer {
				return c.Do("POST", path+"/key-kept-elsewhere", body{"key": key})
			},
			"mail": func(c *servertest.Client) *servertest.Answer {
				return c.Do("POST", "/api/v1/mail/test", body{"address": boss})
			},
		}
		in.AddPerson("Open", "open@example.test", "administrator")
		in.AddPerson("Mia", "mia@example.test", "member")
		open, member := in.Browser(servertest.Firefox), in.Browser(servertest.Firefox)
		open.Password("open@example.test").Want(200)
		member.Password("mia@example.test").Want(200)
		member.Do("GET", path, nil).Refused(403, "not_permitted")
		open.Do("GET", path, nil).Want(200)
		for name, write := range writes {
			t.Run(name, func(t *testing.T) {
				write(member.On(in.First())).Refused(403, "not_permitted")
				write(in.Browser(servertest.Firefox)).Refused(401, "not_signed_in")
				write(open.On(in.First())).Refused(403, "own_mfa_first")
			})
		}
		// Nor without fresh proof. That a demotion comes first is the test of every administrators' route (row 56).
		in.Clock.Advance(11 * time.Minute)
		for _, write := range writes {
			write(browser).Refused(403, "fresh_proof_required")
		}
		if got := in.Column("SELECT count(*) FROM events WHERE kind IN ('brand.changed', 'key.kept_elsewhere', 'mail.tested')"); got[0] != "0" {
			t.Errorf("%v events", got)
		}
	}, servertest.Options{Mail: true})
}

// TestTwoAtOnce is row 80: of two who set the same thing at once, each event says what it found.
func TestTwoAtOnce(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		browser := administrator(in)
		names := []string{"Alpha", "Beta", "Gamma", "Delta"}
		in.Race(len(names), browser, func(n int, browser *servertest.Client) (*servertest.Answer, error) {
			return browser.Try("PATCH", path, body{"brand": names[n]})
		})
		after := map[any]any{}
		for _, event := range events(t, in, "brand.changed") {
			after[event["from"]] = event["to"]
		}
		var now any = "MailMachine"
		for range names {
			now = after[now]
		}
		same(t, "brand", now, browser.Do("GET", path, nil).Want(200).Body["brand"])
	})
}

func TestAFlagWins(t *testing.T) {
	in := servertest.OnSQLite(t, servertest.Options{Brand: "By Flag"})
	browser := administrator(in)
	seen := browser.Do("GET", path, nil).Want(200)
	same(t, "brand", seen.Body["brand"], "By Flag")
	same(t, "fixed", seen.Body["brand_fixed"], true)
	browser.Do("PATCH", path, body{"brand": "Acme"}).Refused(409, "brand_fixed")
	browser.Do("PATCH", path, body{"accent": "#0a7a55"}).Want(200)
}

// TestNewPeople: what is set for new people holds for each way in which they come, where nothing else is said of them.
func TestNewPeople(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		browser := administrator(in)
		asked := func(email string) body {
			t.Helper()
			found := browser.Do("GET", "/api/v1/users?query="+email, nil).Want(200).Body["users"].([]any)
			if len(found) != 1 {
				t.Fatalf("%s: %v", email, found)
			}
			mfa := found[0].(map[string]any)["mfa"].(map[string]any)
			return body{"requirement": mfa["requirement"], "deadline": mfa["deadline"]}
		}
		invite := func(name, role string, more body) {
			t.Helper()
			person := body{"name": name, "email": name + "@example.test", "role": role}
			for key, value := range more {
				person[key] = value
			}
			browser.Do("POST", "/api/v1/users", person).Want(201)
		}
		in.AddPerson("Before", "before@example.test", "member")

		browser.Do("PATCH", path, body{"new_people": body{"requirement": "required", "days": 14}}).Want(200)
		deadline := in.Clock.Now().AddDate(0, 0, 14).Format(time.RFC3339)
		required := body{"requirement": "required", "deadline": deadline}
		invite("ann", "member", nil)
		invite("bea", "member", body{"requirement": "allowed"})
		browser.Do("POST", "/api/v1/users/import", body{"confirm": true, "people": []body{
			{"line": 2, "name": "Cleo", "email": "cleo@example.test"},
			{"line": 3, "name": "Dora", "email": "dora@example.test", "requirement": "off", "reason": "Shares a phone."},
		}}).Want(200)
		in.AddPerson("Eve", "eve@example.test", "member") // as `user add` does
		same(t, "invited", asked("ann@example.test"), required)
		same(t, "invited otherwise", asked("bea@example.test")["requirement"], "allowed")
		same(t, "imported", asked("cleo@example.test"), required)
		same(t, "imported otherwise", asked("dora@example.test")["requirement"], "off")
		same(t, "added", asked("eve@example.test"), required)
		same(t, "of before", asked("before@example.test")["requirement"], "allowed")

		browser.Do("PATCH", path, body{"new_people": body{"requirement": "off", "days": 0, "reason": " No phones here. "}}).Want(200)
		invite("fay", "member", nil)
		invite("gil", "administrator", nil)
		same(t, "a member", asked("fay@example.test")["requirement"], "off")
		same(t, "an administrator, who is never off", asked("gil@example.test")["requirement"], "allowed")

		browser.Do("PATCH", path, body{"new_people": body{"requirement": "required", "days": 0}}).Want(200)
		invite("hal", "member", nil)
		same(t, "at once", asked("hal@example.test"), body{"requirement": "required", "deadline": nil})
		recorded := events(t, in, "new_people.changed")
		if !slices.ContainsFunc(recorded, func(event body) bool {
			return reflect.DeepEqual(event, body{"from": "required", "from_days": 14.0, "to": "off", "to_days": 0.0, "why": "No phones here."})
		}) {
			t.Errorf("events: %v", recorded)
		}
	})
}

func TestKeyKeptElsewhere(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		browser := administrator(in)
		key := browser.Do("GET", path, nil).Want(200).Body["key"].(map[string]any)
		same(t, "kept", key["kept_elsewhere_at"], nil)
		browser.Do("POST", path+"/key-kept-elsewhere", body{"key": 7}).Refused(409, "key_changed")
		kept := browser.Do("POST", path+"/key-kept-elsewhere", body{"key": key["id"]}).Want(200).Body["key"].(map[string]any)
		same(t, "kept", kept["kept_elsewhere_at"], in.Clock.Now().Truncate(time.Millisecond).Format(time.RFC3339Nano))
		same(t, "events", events(t, in, "key.kept_elsewhere"), []body{{"key": key["id"]}})

		// The key that comes after it is another one.
		if _, err := in.First().RotateKey(t.Context(), func(int, int) {}); err != nil {
			t.Fatal(err)
		}
		next := browser.On(in.First()).Do("GET", path, nil).Want(200).Body["key"].(map[string]any)
		if next["id"] == key["id"] || next["kept_elsewhere_at"] != nil {
			t.Errorf("%v after %v", next, key)
		}
		browser.On(in.First()).Do("POST", path+"/key-kept-elsewhere", body{"key": key["id"]}).Refused(409, "key_changed")
	})
}

// TestTestMail is row 47: a mail server's answer, word for word, and no more mails than may leave.
func TestTestMail(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		browser := administrator(in)
		test := func(address string) *servertest.Answer {
			return browser.Do("POST", "/api/v1/mail/test", body{"address": address})
		}
		test("nobody").Refused(422, "invalid_input")
		taken := test(boss).Want(200)
		if taken.Body["taken"] != true || taken.Text("said") == "" {
			t.Errorf("%s", taken.Raw)
		}
		letters := in.Mailbox.Take()
		if len(letters) != 1 || letters[0].To != boss {
			t.Errorf("%+v", letters)
		}
		in.Mailbox.Answer(func(string) error {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "There is nobody of that name"}
		})
		refused := test("gone@example.test").Want(200)
		if refused.Body["taken"] != false || !strings.Contains(refused.Text("said"), "550 5.1.1 There is nobody of that name") {
			t.Errorf("%s", refused.Raw)
		}
		in.Mailbox.Answer(func(string) error { return nil })
		answers := in.Race(8, browser, func(_ int, browser *servertest.Client) (*servertest.Answer, error) {
			return browser.Try("POST", "/api/v1/mail/test", body{"address": boss})
		})
		sent := 0
		for _, answer := range answers {
			switch answer.Status {
			case http.StatusOK:
				sent++
			default:
				answer.Refused(429, "too_many_changes")
				if answer.Header.Get("Retry-After") == "" {
					t.Error("nobody says when it works again")
				}
			}
		}
		if sent != 3 {
			t.Errorf("%d more mails left", sent)
		}
		if got := events(t, in, "mail.tested"); len(got) != 5 {
			t.Errorf("%d events", len(got))
		}
		in.Clock.Advance(5 * time.Minute)
		test(boss).Refused(429, "too_many_changes")
	}, servertest.Options{Mail: true})
}

func TestTestMailWithoutAServer(t *testing.T) {
	in := servertest.OnSQLite(t)
	administrator(in).Do("POST", "/api/v1/mail/test", body{"address": boss}).Refused(409, "no_mail_server")
}

// TestTheNameIsInMails: with two instances, the one that sends a mail knows the name of now.
func TestTheNameIsInMails(t *testing.T) {
	in := servertest.OnSQLite(t, servertest.Options{Mail: true})
	browser := administrator(in)
	browser.Do("PATCH", path, body{"brand": "Acme"}).Want(200)
	in.Mailbox.Take()
	browser.Do("POST", "/api/v1/mail/test", body{"address": boss}).Want(200)
	letters := in.Mailbox.Take()
	if len(letters) != 1 || !strings.Contains(letters[0].Text, "Acme") {
		t.Errorf("%+v", letters)
	}
}
