package mfa_test

import (
	"slices"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

const (
	sessionsPath = "/api/v1/users/me/sessions"
	eventsPath   = servertest.Security + "/events"
	factorsPath  = servertest.Security + "/factors/"
	notMePath    = servertest.Security + "/not-me"
	changePath   = servertest.Security + "/password"
)

func TestManage(t *testing.T) {
	rows{
		{"rename a factor", renameFactor},
		{"remove one of several", removeFactor},
		{"of two removals at once one app stays", removeBoth},
		{"another person's factor", othersFactor},
		{"sessions are listed and ended", sessions},
		{"a new name", newName},
		{"a new password", newPassword},
		{"a refused password", refusedPassword},
		{"this wasn't me", notMe},
		{"events are paged", pagedEvents},
		{"a new browser is news", newBrowser},
		{"a browser of before answers for a new one", knownBrowser},
		{"a new browser answers for none", strangeBrowser},
		{"an administrator sees that an account is disabled", disabledSaysSo},
	}.onBoth(t)
}

func disabledSaysSo(t *testing.T, in *servertest.Installation) {
	app := in.Protected("chief@example.test", "administrator")
	chief := in.SignedIn("chief@example.test", app, servertest.Firefox)
	id := in.AddPerson("Eve", "eve@example.test", "member")
	for _, disabled := range []bool{false, true} {
		if disabled {
			in.Change("UPDATE users SET disabled_at = 1 WHERE id = ?", id)
		}
		if said := chief.Do("GET", "/api/v1/users/"+id, nil).Want(200); said.Body["disabled"] != disabled {
			t.Errorf("%s, want disabled %v", said.Raw, disabled)
		}
	}
}

// another adds a second app to somebody who is signed in.
func another(in *servertest.Installation, session *servertest.Client) *servertest.Enrolled {
	id, phone := begin(in, session, body{"name": "iPad"})
	session.Confirm(id, phone.Code()).Want(200)
	in.Clock.NextStep()
	return &servertest.Enrolled{Phone: phone, ID: id}
}

// factors are the ids and names of what somebody holds.
func factors(session *servertest.Client) map[string]string {
	mfa, _ := session.Do("GET", servertest.Security, nil).Want(200).Body["mfa"].(map[string]any)
	list, _ := mfa["factors"].([]any)
	held := map[string]string{}
	for _, one := range list {
		factor, _ := one.(map[string]any)
		id, _ := factor["id"].(string)
		held[id], _ = factor["name"].(string)
	}
	return held
}

// kinds are the events that somebody reads, the newest first, each as kind and reason.
func kinds(session *servertest.Client) []string {
	list, _ := session.Do("GET", eventsPath, nil).Want(200).Body["events"].([]any)
	var kinds []string
	for _, one := range list {
		event, _ := one.(map[string]any)
		kind, _ := event["kind"].(string)
		if reason, _ := event["reason"].(string); reason != "" {
			kind += " " + reason
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

func renameFactor(t *testing.T, in *servertest.Installation) {
	_, app, session := protected(in, "rename")
	session.Do("PATCH", factorsPath+app.ID, body{"name": "  Old phone "}).Want(204)
	if held := factors(session); held[app.ID] != "Old phone" || len(held) != 1 {
		t.Errorf("%v", held)
	}
	session.Do("PATCH", factorsPath+"01JZZZZZZZZZZZZZZZZZZZZZZZ", body{"name": "x"}).Refused(404, "no_factor")
	if event := newest(session, "factor.renamed"); event["method"] != "totp" || ofFactor(event) != app.ID {
		t.Errorf("%v", event)
	}
	in.Clock.NextStep()
	id := another(in, session).ID
	if event := newest(session, "app.added"); ofFactor(event) != id {
		t.Errorf("%v", event)
	}
}

// newest is the last event of a kind that somebody reads; nil where there is none.
func newest(session *servertest.Client, kind string) map[string]any {
	list, _ := session.Do("GET", eventsPath, nil).Want(200).Body["events"].([]any)
	for _, one := range list {
		if event, _ := one.(map[string]any); event["kind"] == kind {
			return event
		}
	}
	return nil
}

// ofFactor is the factor that an event names, by its id: no name that somebody typed is on record.
func ofFactor(event map[string]any) any {
	data, _ := event["data"].(map[string]any)
	return data["factor"]
}

func removeFactor(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "remove")
	session.Do("DELETE", factorsPath+app.ID, nil).Refused(409, "last_app")
	second := another(in, session)
	elsewhere, answer := signIn(in, email, app.Code())
	answer.Want(200)
	pending := in.Browser(servertest.Safari)
	pending.Password(email).Want(200)
	token := session.Cookie(servertest.SessionCookie)
	session.Do("DELETE", factorsPath+app.ID, nil).Want(204)
	if held := factors(session); len(held) != 1 || held[second.ID] != "iPad" {
		t.Errorf("%v", held)
	}
	// Row 34: what was open under the old factors has ended, and this session has another token.
	in.Holding(servertest.SessionCookie, token).Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	elsewhere.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	pending.Code(app.Codes[0]).Diagnosed("sign_in_expired")
	in.Clock.NextStep()
	_, answer = signIn(in, email, app.CodeUnlike(second.Phone))
	answer.Diagnosed("previous_setup")
	session.Do("DELETE", factorsPath+second.ID, nil).Refused(409, "last_app")
	session.Do("DELETE", factorsPath+app.ID, nil).Refused(404, "no_factor")
}

func removeBoth(t *testing.T, in *servertest.Installation) {
	in.Beside()
	_, app, session := protected(in, "remove-both")
	ids := []string{app.ID, another(in, session).ID}
	// The winner's session gets a new token, which the loser, on its way already, does not have.
	statuses := make([]int, 2)
	servertest.Together(2, func(n int) {
		answer, err := session.On(in.On(n)).Try("DELETE", factorsPath+ids[n], nil)
		if err != nil {
			t.Error(err)
			return
		}
		statuses[n] = answer.Status
	})
	slices.Sort(statuses)
	if statuses[0] != 204 || statuses[1] != 409 && statuses[1] != 401 {
		t.Errorf("%v", statuses)
	}
	if held := factors(session); len(held) != 1 {
		t.Errorf("%v", held)
	}
}

func othersFactor(t *testing.T, in *servertest.Installation) {
	_, app, _ := protected(in, "owner")
	_, _, thief := protected(in, "thief")
	another(in, thief)
	thief.Do("PATCH", factorsPath+app.ID, body{"name": "mine"}).Refused(404, "no_factor")
	thief.Do("DELETE", factorsPath+app.ID, nil).Refused(404, "no_factor")
	wantStored(t, in, "owner@example.test", whole)
}

func sessions(t *testing.T, in *servertest.Installation) {
	email, app, here := protected(in, "sessions")
	in.Clock.Advance(2 * time.Minute)
	phone, answer := signIn(in, email, app.Code())
	answer.Want(200)
	in.Clock.NextStep()
	third, answer := signIn(in, email, app.Code())
	answer.Want(200)
	list, _ := here.Do("GET", sessionsPath, nil).Want(200).Body["sessions"].([]any)
	if len(list) != 3 {
		t.Fatalf("%v", list)
	}
	first, _ := list[0].(map[string]any)
	other, _ := list[1].(map[string]any)
	if first["current"] != true || first["browser"] != "Firefox on Linux" || first["address"] != "127.0.0.1" {
		t.Errorf("%v", first)
	}
	if other["current"] != false || other["browser"] != "Safari on iPhone" || !slices.Equal(other["signed_in_with"].([]any), []any{"password", "totp"}) {
		t.Errorf("%v", other)
	}
	id, _ := other["id"].(string)
	_, _, stranger := protected(in, "stranger")
	stranger.Do("DELETE", sessionsPath+"/"+id, nil).Refused(404, "no_session") // row 36
	here.Do("DELETE", sessionsPath+"/"+id, nil).Want(204)
	third.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	phone.Do("GET", "/api/v1/session", nil).Want(200)
	here.Do("DELETE", sessionsPath+"/"+id, nil).Refused(404, "no_session")
	if ended := here.Do("DELETE", sessionsPath, nil).Want(200).Body["ended"]; ended != 1.0 {
		t.Error(ended)
	}
	phone.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	mine, _ := first["id"].(string)
	here.Do("DELETE", sessionsPath+"/"+mine, nil).Want(204)
	here.Do("GET", "/api/v1/session", nil).Refused(401, "not_signed_in") // the cookie went with it
}

func newName(t *testing.T, in *servertest.Installation) {
	_, session := newcomer(in, "old-name")
	session.Do("PATCH", "/api/v1/users/me", body{"name": " "}).Refused(422, "invalid_input")
	session.Do("PATCH", "/api/v1/users/me", body{"name": " Grace Hopper "}).Want(204)
	user, _ := session.Do("GET", "/api/v1/session", nil).Want(200).Body["user"].(map[string]any)
	if user["name"] != "Grace Hopper" {
		t.Errorf("%v", user)
	}
	in.Protected("root@example.test", "administrator")
	root := in.Browser(servertest.Firefox)
	root.Password("root@example.test").Want(200)
	in.AddPerson("Root", "found@example.test", "administrator")
	found := in.Browser(servertest.Firefox)
	found.Password("found@example.test").Want(200)
	for query, want := range map[string]int{"grace": 1, "eve": 0} {
		list, _ := found.Do("GET", "/api/v1/users?query="+query, nil).Want(200).Body["users"].([]any)
		if len(list) != want {
			t.Errorf("%s: %v", query, list)
		}
	}
}

func newPassword(t *testing.T, in *servertest.Installation) {
	const wanted = "nine green cups of tea"
	email, app, session := protected(in, "new-password")
	elsewhere, answer := signIn(in, email, app.Code())
	answer.Want(200)
	in.Clock.NextStep()
	pending := in.Browser(servertest.Safari)
	pending.Password(email).Want(200)
	token := session.Cookie(servertest.SessionCookie)
	change := body{"password": servertest.Password, "new_password": wanted}
	changed := session.Do("POST", changePath, change).Want(200)
	if changed.Body["sessions_ended"] != 1.0 {
		t.Errorf("%s", changed.Raw)
	}
	in.Holding(servertest.SessionCookie, token).Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	elsewhere.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	pending.Code(app.Code()).Diagnosed("sign_in_expired")
	in.Browser(servertest.Safari).Password(email).Refused(401, "bad_credentials")
	fresh := in.Browser(servertest.Safari)
	fresh.Do("POST", "/api/v1/sign-in", body{"email": email, "password": wanted}).Want(200)
	fresh.Code(app.Code()).Want(200)
	session.Do("POST", changePath, change).Refused(422, "wrong_password")
	in.Clock.Advance(11 * time.Minute)
	session.Do("POST", changePath, change).Refused(403, "fresh_proof_required")
}

func refusedPassword(t *testing.T, in *servertest.Installation) {
	email, session := newcomer(in, "refused-password")
	for wanted, code := range map[string]string{
		"short":             "password_too_short",
		"passwordpassword1": "password_too_common",
		email:               "password_contains_context",
		servertest.Password: "password_unchanged",
	} {
		answer := session.Do("POST", changePath, body{"password": servertest.Password, "new_password": wanted}).Refused(422, "invalid_input")
		fields, _ := answer.Body["fields"].([]any)
		field, _ := fields[0].(map[string]any)
		if field["name"] != "new_password" || field["code"] != code {
			t.Errorf("%s: %v", wanted, fields)
		}
	}
	session.Do("POST", changePath, body{"password": "not the right one", "new_password": "nine green cups of tea"}).Refused(422, "wrong_password")
	in.Browser(servertest.Safari).Password(email).Want(200)
}

func notMe(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "not-me")
	thief, answer := signIn(in, email, app.Codes[3])
	answer.Want(200)
	list, _ := session.Do("GET", eventsPath, nil).Want(200).Body["events"].([]any)
	event, _ := list[0].(map[string]any)
	if event["kind"] != "sign_in.completed" || event["method"] != "backup_code" || event["here"] != false || event["browser"] != "Safari on iPhone" {
		t.Fatalf("%v", event)
	}
	in.Clock.Advance(11 * time.Minute) // without fresh proof: it only takes away
	token := session.Cookie(servertest.SessionCookie)
	_, _, stranger := protected(in, "not-them")
	stranger.Do("POST", notMePath, body{"event": event["id"]}).Refused(404, "no_event")
	if raised := session.Do("POST", notMePath, body{"event": event["id"]}).Want(200); raised.Body["sessions_ended"] != 1.0 {
		t.Errorf("%s", raised.Raw)
	}
	thief.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	in.Holding(servertest.SessionCookie, token).Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	if got := kinds(session)[:2]; !slices.Equal(got, []string{"session.ended not_me", "alarm.raised"}) {
		t.Error(got)
	}
	session.Do("POST", notMePath, nil).Want(200)
}

func pagedEvents(t *testing.T, in *servertest.Installation) {
	_, app, session := protected(in, "paged")
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		session.Do("PATCH", factorsPath+app.ID, body{"name": name}).Want(204)
	}
	whole := kinds(session)
	var paged []string
	cursor := ""
	for {
		page := session.Do("GET", eventsPath+"?limit=2&cursor="+cursor, nil).Want(200)
		list, _ := page.Body["events"].([]any)
		for _, one := range list {
			event, _ := one.(map[string]any)
			kind, _ := event["kind"].(string)
			if reason, _ := event["reason"].(string); reason != "" {
				kind += " " + reason
			}
			paged = append(paged, kind)
		}
		if page.Body["next_cursor"] == nil {
			break
		}
		cursor = page.Text("next_cursor")
	}
	if !slices.Equal(paged, whole) || len(whole) < 10 {
		t.Errorf("%v\n%v", paged, whole)
	}
	if slices.Contains(whole, "sign_in.password") || slices.Contains(whole, "sign_in.second_step") {
		t.Errorf("a step that was completed is told twice: %v", whole)
	}
}

func newBrowser(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "new-browser")
	news := func(session *servertest.Client) bool {
		list, _ := session.Do("GET", eventsPath, nil).Want(200).Body["events"].([]any)
		event, _ := list[0].(map[string]any)
		if event["kind"] != "sign_in.completed" {
			t.Fatalf("%v", event)
		}
		return event["new_browser"] == true
	}
	if news(browser) {
		t.Error("the first sign-in ever is news")
	}
	browser.Password(email).Want(200)
	if news(browser) {
		t.Error("the same browser is news")
	}
	second := in.Browser(servertest.Safari)
	second.Password(email).Want(200)
	if !news(second) {
		t.Error("another browser is no news")
	}
	second.Password(email).Want(200)
	if news(second) {
		t.Error("another browser is news for the second time")
	}
}

// strange is the newest sign-in with a browser that was new.
func strange(t *testing.T, session *servertest.Client) string {
	t.Helper()
	list, _ := session.Do("GET", eventsPath, nil).Want(200).Body["events"].([]any)
	for _, one := range list {
		event, _ := one.(map[string]any)
		if event["kind"] == "sign_in.completed" && event["new_browser"] == true {
			id, _ := event["id"].(string)
			return id
		}
	}
	t.Fatalf("no new browser: %v", list)
	return ""
}

// thatWasMe says of a sign-in that it was the person's own.
func thatWasMe(session *servertest.Client, event string) *servertest.Answer {
	return session.Do("POST", eventsPath+"/"+event+"/known", nil)
}

func knownBrowser(t *testing.T, in *servertest.Installation) {
	email, first := newcomer(in, "known-browser")
	in.Clock.Advance(time.Minute)
	second := in.Browser(servertest.Safari)
	second.Password(email).Want(200)
	in.Clock.Advance(time.Minute)
	first.Password(email).Want(200) // the browser is older than the sign-in, its session need not be
	doubted := strange(t, first)
	thatWasMe(first, doubted).Want(204)
	answer := newest(second, "sign_in.known")
	if data, _ := answer["data"].(map[string]any); data["event"] != doubted {
		t.Errorf("%v", answer)
	}
	_, stranger := newcomer(in, "known-stranger")
	thatWasMe(stranger, doubted).Refused(404, "no_event")
	id, _ := answer["id"].(string)
	thatWasMe(first, id).Refused(404, "no_event") // no sign-in
	for range 19 {
		thatWasMe(first, doubted).Want(204)
	}
	thatWasMe(first, doubted).Refused(429, "too_many_changes")
}

func strangeBrowser(t *testing.T, in *servertest.Installation) {
	email, first := newcomer(in, "strange-browser")
	in.Clock.Advance(time.Minute)
	thief := in.Browser(servertest.Safari)
	thief.Password(email).Want(200)
	in.Clock.Advance(time.Minute)
	thief.Password(email).Want(200) // a second time, it is no news any more
	thatWasMe(thief, strange(t, first)).Want(204)
	// As an instance of before has it, beside the new one: since when it is known is not known.
	in.Change("UPDATE known_browsers SET first_seen_at = 0 WHERE user_id = (SELECT id FROM users WHERE email = ?)", email)
	thatWasMe(thief, strange(t, first)).Want(204)
	if n := count(in, email, "sign_in.known"); n != 0 {
		t.Errorf("%d events", n)
	}
}
