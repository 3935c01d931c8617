package mfa_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// What a stolen session may do without proof is counted, so that it neither keeps the owner out nor buries its traces.
func TestRows45And47Budgets(t *testing.T) {
	rows{
		{"a loop of alarms does not keep the owner out", alarmsInALoop},
		{"of alarms at once no more than three need no proof", alarmsAtOnce},
		{"a loop of endings does not keep the owner out", endingsInALoop},
		{"of endings at once no more than ten need no proof", endingsAtOnce},
		{"a name is changed twenty times an hour", newNames},
		{"of new names at once no more than twenty are taken", namesAtOnce},
		{"factors are renamed twenty times an hour", factorNames},
		{"an enrolment is begun twenty times an hour", beginnings},
	}.onBoth(t)
}

// stale lets the fresh proof of everybody's sessions end.
func stale(in *servertest.Installation) { in.Clock.Advance(11 * time.Minute) }

// anHour passes while the session is in use.
func anHour(in *servertest.Installation, session *servertest.Client) {
	for range 3 {
		in.Clock.Advance(20 * time.Minute)
		session.Do("GET", "/api/v1/session", nil).Want(200)
	}
}

// count is how many events of a kind there are about somebody.
func count(in *servertest.Installation, email, kind string) int {
	return len(in.Column("SELECT id FROM events WHERE subject_id = (SELECT id FROM users WHERE email = ?) AND kind = ?", email, kind))
}

func alarmsInALoop(t *testing.T, in *servertest.Installation) {
	email, app, stolen := protected(in, "alarms")
	stale(in)
	thief := in.Holding(servertest.SessionCookie, stolen.Cookie(servertest.SessionCookie))
	for range 3 {
		thief.Do("POST", notMePath, nil).Want(200)
	}
	// From the fourth on the owner's sign-in and the session that it opens stay, however often the thief tries.
	loop := func() {
		t.Helper()
		for range 5 {
			thief.Do("POST", notMePath, nil).Refused(403, "fresh_proof_required")
		}
	}
	loop()
	owner := in.Browser(servertest.Firefox)
	owner.Password(email).Want(200)
	loop()
	owner.Code(app.Code()).Want(200)
	in.Clock.NextStep()
	loop()
	if n := count(in, email, "alarm.raised"); n != 3 {
		t.Errorf("%d alarms", n)
	}
	// With the proof that signing in was, the owner raises the fourth, which the thief does not outlive.
	owner.Do("POST", notMePath, nil).Want(200)
	thief.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	anHour(in, owner)
	for range 3 {
		owner.Do("POST", notMePath, nil).Want(200)
	}
	owner.Do("POST", notMePath, nil).Refused(403, "fresh_proof_required")
	owner.Prove(app.Code()).Want(200)
	owner.Do("POST", notMePath, nil).Want(200)
}

func alarmsAtOnce(t *testing.T, in *servertest.Installation) {
	email, _, session := protected(in, "alarms-at-once")
	stale(in)
	in.Race(12, session, func(_ int, browser *servertest.Client) (*servertest.Answer, error) {
		return browser.Try("POST", notMePath, nil)
	})
	// Whoever comes after the first has a token that is dead, if they were not let in before.
	if n := count(in, email, "alarm.raised"); n < 1 || n > 3 {
		t.Errorf("%d alarms", n)
	}
}

// open are the ids of the sessions that are not the one that asks.
func open(session *servertest.Client) []string {
	list, _ := session.Do("GET", sessionsPath, nil).Want(200).Body["sessions"].([]any)
	var ids []string
	for _, one := range list[1:] {
		view, _ := one.(map[string]any)
		id, _ := view["id"].(string)
		ids = append(ids, id)
	}
	return ids
}

func endingsInALoop(t *testing.T, in *servertest.Installation) {
	email, thief := newcomer(in, "endings")
	stale(in)
	for n := range 10 {
		in.Browser(servertest.Safari).Password(email).Want(200)
		if n%2 == 0 {
			thief.Do("DELETE", sessionsPath, nil).Want(200)
		} else {
			thief.Do("DELETE", sessionsPath+"/"+open(thief)[0], nil).Want(204)
		}
	}
	owner := in.Browser(servertest.Safari)
	owner.Password(email).Want(200)
	thief.Do("DELETE", sessionsPath, nil).Refused(403, "fresh_proof_required")
	thief.Do("DELETE", sessionsPath+"/"+open(thief)[0], nil).Refused(403, "fresh_proof_required")
	owner.Do("GET", "/api/v1/session", nil).Want(200)
	if n := count(in, email, "session.ended"); n != 10 {
		t.Errorf("%d endings", n)
	}
	// Not even then does signing out here ask for anything, and a proof opens the rest.
	second := in.Browser(servertest.Safari)
	second.Password(email).Want(200)
	stale(in)
	second.Do("DELETE", sessionsPath, nil).Refused(403, "fresh_proof_required")
	mine, _ := second.Do("GET", sessionsPath, nil).Want(200).Body["sessions"].([]any)[0].(map[string]any)
	second.Do("DELETE", sessionsPath+"/"+fmt.Sprint(mine["id"]), nil).Want(204)
	owner.Do("POST", "/api/v1/session/proof", password).Want(200)
	if ended := owner.Do("DELETE", sessionsPath, nil).Want(200).Body["ended"]; ended != 1.0 {
		t.Errorf("%v ended", ended)
	}
	thief.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	anHour(in, owner)
	owner.Do("DELETE", sessionsPath, nil).Want(200)
}

func endingsAtOnce(t *testing.T, in *servertest.Installation) {
	email, session := newcomer(in, "endings-at-once")
	stale(in)
	for range 16 {
		in.Browser(servertest.Safari).Password(email).Want(200)
	}
	ids := open(session)
	answers := in.Race(len(ids), session, func(n int, browser *servertest.Client) (*servertest.Answer, error) {
		return browser.Try("DELETE", sessionsPath+"/"+ids[n], nil)
	})
	got := map[int]int{}
	for _, answer := range answers {
		got[answer.Status]++
	}
	if got[204] != 10 || got[403] != 6 {
		t.Errorf("%v", got)
	}
}

// full is the refusal of one more than twenty within an hour, of which so much has passed.
func full(t *testing.T, answer *servertest.Answer, passed time.Duration) {
	t.Helper()
	left := int((time.Hour - passed).Seconds())
	answer.Refused(429, "too_many_changes")
	if answer.Header.Get("Retry-After") != strconv.Itoa(left) || answer.Body["retry_after_seconds"] != float64(left) {
		t.Errorf("Retry-After %s: %s, want %d", answer.Header.Get("Retry-After"), answer.Raw, left)
	}
}

func newNames(t *testing.T, in *servertest.Installation) {
	email, session := newcomer(in, "new-names")
	rename := func(name string) *servertest.Answer {
		return session.Do("PATCH", "/api/v1/users/me", body{"name": name})
	}
	for n := range 20 {
		rename(fmt.Sprintf("Eve %d", n)).Want(204)
		rename(fmt.Sprintf(" Eve %d ", n)).Want(204) // unchanged: no event, and nothing to count
		in.Clock.Advance(time.Second)
	}
	full(t, rename("Eve 20"), 20*time.Second)
	rename("Eve 19").Want(204)
	user, _ := session.Do("GET", "/api/v1/session", nil).Want(200).Body["user"].(map[string]any)
	if n := count(in, email, "name.changed"); n != 20 || user["name"] != "Eve 19" {
		t.Errorf("%d events, %v", n, user)
	}
	in.Clock.Advance(29 * time.Minute)
	full(t, rename("Eve 20"), 29*time.Minute+20*time.Second)
	in.Clock.Advance(29 * time.Minute)
	full(t, rename("Eve 20"), 58*time.Minute+20*time.Second)
	in.Clock.Advance(99 * time.Second)
	full(t, rename("Eve 20"), 59*time.Minute+59*time.Second)
	in.Clock.Advance(time.Second)
	rename("Eve 20").Want(204)
	full(t, rename("Eve 21"), 59*time.Minute+59*time.Second)
	_, other := newcomer(in, "other-name")
	other.Do("PATCH", "/api/v1/users/me", body{"name": "Bo"}).Want(204)
}

func namesAtOnce(t *testing.T, in *servertest.Installation) {
	email, session := newcomer(in, "names-at-once")
	in.Race(32, session, func(n int, browser *servertest.Client) (*servertest.Answer, error) {
		return browser.Try("PATCH", "/api/v1/users/me", body{"name": fmt.Sprintf("Eve %d", n)})
	})
	if n := count(in, email, "name.changed"); n != 20 {
		t.Errorf("%d events", n)
	}
}

func factorNames(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "factor-names")
	rename := func(name string) *servertest.Answer {
		return session.Do("PATCH", factorsPath+app.ID, body{"name": name})
	}
	for n := range 20 {
		rename(fmt.Sprint("Phone ", n)).Want(204)
		rename(fmt.Sprint(" Phone ", n)).Want(204)
	}
	full(t, rename("Phone 20"), 0)
	rename("Phone 19").Want(204)
	if n := count(in, email, "factor.renamed"); n != 20 || factors(session)[app.ID] != "Phone 19" {
		t.Errorf("%d events, %v", n, factors(session))
	}
	in.Clock.Advance(time.Hour)
	session = in.SignedIn(email, app, servertest.Firefox)
	rename("Phone 20").Want(204)
}

func beginnings(t *testing.T, in *servertest.Installation) {
	email, session := newcomer(in, "beginnings")
	var last string
	for range 20 {
		last, _ = begin(in, session, nil)
	}
	full(t, session.Do("POST", servertest.Enrolments, nil), 0)
	if n := count(in, email, "enrolment.started"); n != 20 {
		t.Errorf("%d events", n)
	}
	// The one under way goes on.
	if id := session.Do("GET", servertest.Enrolments+"/current", nil).Want(200).Text("id"); id != last {
		t.Errorf("%s goes on, not %s", id, last)
	}
	in.Clock.Advance(time.Hour)
	again := in.Browser(servertest.Firefox)
	again.Password(email).Want(200)
	id, phone := begin(in, again, nil)
	again.Confirm(id, phone.Code()).Want(200)
	activate(again, id).Want(200)
}
