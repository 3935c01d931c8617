package people_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestInvitedJoins(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		bossID, boss := administrator(in, "boss")
		id, link := invite(t, boss, "nia")

		// Row 6: nobody can sign in as them, and the answer and the work are those for an unknown name.
		try := func(email string) (*servertest.Answer, uint64) {
			before := in.Runs()
			return in.Browser(servertest.Firefox).Do("POST", "/api/v1/sign-in", body{"email": email, "password": ""}), in.Runs() - before
		}
		invited, work := try("nia@example.test")
		unknown, same := try("nobody@example.test")
		stripped := func(a *servertest.Answer) string {
			text, _, _ := strings.Cut(string(a.Raw), `"request_id"`)
			return text
		}
		if invited.Refused(401, "bad_credentials"); stripped(invited) != stripped(unknown) || work != same || work != 1 {
			t.Errorf("%s after %d, %s after %d", invited.Raw, work, unknown.Raw, same)
		}
		view := boss.Do("GET", path(id), nil).Want(200)
		if waiting, _ := view.Body["invited"].(map[string]any); waiting["expires_at"] != in.Clock.Now().Add(72*time.Hour).Format(time.RFC3339) {
			t.Errorf("%s", view.Raw)
		}
		if listed := boss.Do("GET", usersPath+"?protection=invited", nil).Want(200); listed.Body["total"] != 1.0 || !bytes.Contains(listed.Raw, []byte(`"invited":true`)) {
			t.Errorf("%s", listed.Raw)
		}

		browser := in.Browser(servertest.Safari)
		if told := browser.Do("POST", "/api/v1/join/invitation", body{"token": link}).Want(200); told.Text("name") != "Nia New" || told.Text("email") != "nia@example.test" {
			t.Errorf("%s", told.Raw)
		}
		runs := in.Runs()
		for _, wrong := range []body{
			{"token": link, "password": "short"}, {"token": link, "password": "nia new example"},
			{"token": link, "password": servertest.Password, "name": " "}, {"token": link, "password": servertest.Password, "name": "a\u202eb"},
		} {
			browser.Do("POST", "/api/v1/join", wrong).Refused(422, "invalid_input")
		}
		if in.Runs() != runs {
			t.Error("what was refused has been hashed")
		}
		browser.Do("POST", "/api/v1/join", body{"token": link, "password": servertest.Password, "name": "Nia Newman"}).Want(200)
		who := browser.Do("GET", "/api/v1/session", nil).Want(200).Body["user"].(map[string]any)
		if who["id"] != id || who["name"] != "Nia Newman" || who["role"] != "member" {
			t.Errorf("%v", who)
		}
		in.Browser(servertest.Safari).Password("nia@example.test").Want(200)
		if again := boss.Do("GET", path(id), nil).Want(200); again.Body["invited"] != nil {
			t.Errorf("%s", again.Raw)
		}
		join(in.Browser(servertest.Safari), link).Refused(410, "invitation_used")
		boss.Do("POST", path(id)+"/invitation", nil).Refused(409, "already_joined")
		boss.Do("DELETE", path(id)+"/invitation", nil).Refused(409, "already_joined")
		browser.Do("GET", "/api/v1/session", nil).Want(200)
		wantEvents(t, in, id, `user.invited {"requirement":"allowed","role":"member"}`, "user.joined")
		if actors := in.Column("SELECT actor_id FROM events WHERE subject_id = ? AND kind IN ('user.invited', 'user.joined') ORDER BY kind", id); actors[0] != bossID || actors[1] != id {
			t.Errorf("done by %v", actors)
		}
	})
}

func TestALinkThatIsGoodNoMoreSaysWhy(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		_, boss := administrator(in, "boss")
		browser := in.Browser(servertest.Safari)
		refused := func(link string, status int, code string) {
			t.Helper()
			runs := in.Runs()
			join(browser, link).Refused(status, code)
			browser.Do("POST", "/api/v1/join/invitation", body{"token": link}).Refused(status, code)
			if in.Runs() != runs {
				t.Errorf("%s was hashed for", code)
			}
		}
		replacedID, replaced := invite(t, boss, "replaced")
		newer := token(t, boss.Do("POST", path(replacedID)+"/invitation", nil).Want(201))
		refused(replaced, 410, "invitation_replaced")
		withdrawnID, withdrawn := invite(t, boss, "withdrawn")
		boss.Do("DELETE", path(withdrawnID)+"/invitation", nil).Want(204)
		boss.Do("GET", path(withdrawnID), nil).Refused(404, "no_user")
		refused(withdrawn, 410, "invitation_withdrawn")
		removedID, removed := invite(t, boss, "removed")
		boss.Do("DELETE", path(removedID), nil).Want(204)
		refused(removed, 410, "invitation_withdrawn")
		disabledID, disabled := invite(t, boss, "disabled")
		boss.Do("PATCH", path(disabledID), body{"disabled": true}).Want(204)
		refused(disabled, 403, "account_disabled")
		consoleID, console := invite(t, boss, "console")
		in.SetPassword(consoleID, servertest.Password)
		refused(console, 410, "invitation_used")
		for _, none := range []string{"", "x", newer + "x", newer[:42], strings.ToUpper(newer)} {
			refused(none, 410, "invitation_unknown")
		}
		_, late := invite(t, boss, "late")
		in.Clock.Advance(72*time.Hour - time.Second)
		join(in.Browser(servertest.Safari), newer).Want(200)
		in.Clock.Advance(time.Second)
		refused(late, 410, "invitation_expired")
		if in.Column("SELECT name FROM users WHERE email = 'late@example.test'")[0] != "Nia New" {
			t.Error("who did not join in time is gone")
		}
	})
}

func TestInvitationIsChecked(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		_, boss := administrator(in, "boss")
		id, link := invite(t, boss, "nia", body{"requirement": "required"})
		later := in.Clock.Now().Add(time.Hour)
		base := func(more body) body {
			person := body{"name": "Nia", "email": "other@example.test", "role": "member"}
			for key, value := range more {
				person[key] = value
			}
			return person
		}
		for code, wrong := range map[string]body{
			"email_taken":             {"email": "NIA@example.test"},
			"administrator_never_off": {"role": "administrator", "requirement": "off"},
		} {
			boss.Do("POST", usersPath, base(wrong)).Refused(409, code)
		}
		for _, wrong := range []body{{"name": ""}, {"email": "x"}, {"role": "root"}, {"requirement": "never"}, {"requirement": "allowed", "deadline": later}, {"requirement": "off"}} {
			boss.Do("POST", usersPath, base(wrong)).Refused(422, "invalid_input")
		}
		// Who may not have it is on record with why (row 58).
		off := boss.Do("POST", usersPath, base(body{"requirement": "off", "reason": " Shares a phone. "})).Want(201)
		wantEvents(t, in, off.Body["user"].(map[string]any)["id"].(string), `user.invited {"requirement":"off","role":"member","why":"Shares a phone."}`)
		joined := in.Browser(servertest.Safari)
		if state := join(joined, link).Want(200).Text("state"); state != "enrolment_required" {
			t.Errorf("%s", state)
		}
		joined.Do("GET", path(id)+"/sessions", nil).Refused(403, "enrolment_required")
	})
}

// Row 55: the link is that of the configured address, whatever a request says.
func TestRow55TheLinkIsOfThePublicURL(t *testing.T) {
	in := servertest.OnSQLite(t, servertest.Options{PublicURL: "http://id.example.test"})
	_, boss := administrator(in, "boss")
	for _, header := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-Host"} {
		boss.Header.Set(header, "evil.example")
	}
	made := boss.Do("POST", usersPath, body{"name": "Nia", "email": "nia@example.test", "role": "member"}).Want(201)
	if link := made.Text("invitation_link"); !strings.HasPrefix(link, "http://id.example.test/join#token=") {
		t.Errorf("%s", link)
	}
}

// Row 80: one link, many requests at two instances, exactly one joins; a withdrawal at the same time leaves no half.
func TestRow80OneJoins(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		_, boss := administrator(in, "boss")
		id, link := invite(t, boss, "race")
		joining := func(n int, c *servertest.Client) (*servertest.Answer, error) {
			return c.Try("POST", "/api/v1/join", body{"token": link, "password": servertest.Password, "name": "Racer " + string(rune('A'+n))})
		}
		in.Only(200, in.Race(20, in.Browser(servertest.Safari), joining))
		if open := in.Column("SELECT id FROM sessions WHERE user_id = ?", id); len(open) != 1 {
			t.Errorf("%d sessions", len(open))
		}
		wantEvents(t, in, id, `user.invited {"requirement":"allowed","role":"member"}`, "user.joined")

		for round := range 4 {
			id, link = invite(t, boss, "withdrawn"+string(rune('a'+round)))
			release := in.Open("UPDATE users SET id = id WHERE id = '" + id + "'")
			answers := make([]*servertest.Answer, 2)
			done := make(chan struct{})
			go func() {
				defer close(done)
				servertest.Together(2, func(n int) {
					var err error
					if n == 0 {
						answers[n], err = joining(0, in.Browser(servertest.Safari).On(in.On(0)))
					} else {
						answers[n], err = boss.On(in.On(1)).Try("DELETE", path(id)+"/invitation", nil)
					}
					if err != nil {
						t.Error(err)
					}
				})
			}()
			in.Blocked(2)
			release()
			<-done
			people, open := in.Column("SELECT id FROM users WHERE id = ?", id), in.Column("SELECT id FROM sessions WHERE user_id = ?", id)
			switch {
			case answers[0].Status == 200 && answers[1].Body["code"] == "already_joined" && len(people) == 1 && len(open) == 1:
			case answers[1].Status == 204 && answers[0].Body["code"] == "invitation_withdrawn" && len(people) == 0 && len(open) == 0:
			default:
				t.Errorf("joining: %d %s; withdrawing: %d %s; %d people, %d sessions", answers[0].Status, answers[0].Raw, answers[1].Status, answers[1].Raw, len(people), len(open))
			}
		}
	})
}
