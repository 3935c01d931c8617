package session_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestRow34ChangesEndWhatWasOpenElsewhere(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		boss := in.Protected("boss@example.test", "administrator")
		id := in.AddPerson("Ada", "ada@example.test", "member")
		password := map[string]string{"password": servertest.Password}
		var ada *servertest.Enrolled
		hold := func() held {
			in.Clock.NextStep()
			var h held
			if ada == nil {
				h.own, h.other = signedIn(in, "ada@example.test"), signedIn(in, "ada@example.test")
			} else {
				h.own = in.SignedIn("ada@example.test", ada, servertest.Firefox)
				h.other = in.SignedIn("ada@example.test", ada, servertest.Safari)
				h.pending = signedIn(in, "ada@example.test")
			}
			h.token = h.own.Cookie(servertest.SessionCookie)
			return h
		}
		ended := func(t *testing.T, h held, ownGoesOn bool) {
			t.Helper()
			dead(t, h.other)
			h.other.Do("POST", servertest.Enrolments, map[string]string{}).Refused(http.StatusUnauthorized, "session_ended")
			if h.pending != nil {
				h.pending.Code(ada.Code()).Diagnosed("sign_in_expired")
			}
			dead(t, in.Holding(servertest.SessionCookie, h.token))
			if ownGoesOn {
				alive(t, h.own)
			} else {
				dead(t, h.own)
			}
		}
		// A fault in the middle of the change takes all of it back.
		fails := func(t *testing.T, h held, act func() *servertest.Answer) {
			t.Helper()
			in.Change("ALTER TABLE events RENAME TO away")
			act().Refused(http.StatusInternalServerError, "internal_fault")
			in.Change("ALTER TABLE away RENAME TO events")
			alive(t, h.own)
			alive(t, h.other)
			if h.pending != nil {
				h.pending.Do("GET", "/api/v1/sign-in", nil).Want(http.StatusOK)
			}
		}

		t.Run("turning 2-step verification on", func(t *testing.T) {
			h := hold()
			begun := h.own.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
			phone := in.Scan(begun.Text("secret"))
			codes := h.own.Confirm(begun.Text("id"), phone.Code()).Want(http.StatusOK).Texts("backup_codes")
			activate := func() *servertest.Answer {
				return h.own.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil)
			}
			fails(t, h, activate)
			activate().Want(http.StatusOK)
			ada = &servertest.Enrolled{Phone: phone, Codes: codes, ID: begun.Text("id")}
			ended(t, h, true)
		})
		t.Run("new backup codes", func(t *testing.T) {
			h := hold()
			h.own.Do("POST", servertest.Security+"/backup-codes", password).Want(http.StatusOK)
			activate := func() *servertest.Answer {
				return h.own.Do("POST", servertest.Security+"/backup-codes/activate", nil)
			}
			fails(t, h, activate)
			activate().Want(http.StatusOK)
			ended(t, h, true)
		})
		t.Run("replacing the app", func(t *testing.T) {
			h := hold()
			begun := h.own.Do("POST", servertest.Enrolments, map[string]string{"replaces": ada.ID}).Want(http.StatusCreated)
			phone := in.Scan(begun.Text("secret"))
			confirm := func() *servertest.Answer { return h.own.Confirm(begun.Text("id"), phone.Code()) }
			fails(t, h, confirm)
			confirm().Want(http.StatusOK)
			ended(t, h, true)
			ada = &servertest.Enrolled{Phone: phone, ID: begun.Text("id")}
		})
		t.Run("a lowered requirement, not a raised one", func(t *testing.T) {
			in.Clock.NextStep()
			administrator := in.SignedIn("boss@example.test", boss, servertest.Firefox)
			set := func(requirement string) *servertest.Answer {
				return administrator.Do("PUT", "/api/v1/users/"+id+"/security/requirement", map[string]string{"requirement": requirement})
			}
			h := hold()
			set("required").Want(http.StatusNoContent)
			alive(t, h.own)
			alive(t, h.other)
			h.pending.Do("GET", "/api/v1/sign-in", nil).Want(http.StatusOK)
			fails(t, h, func() *servertest.Answer { return set("allowed") })
			set("allowed").Want(http.StatusNoContent)
			ended(t, h, false)
			alive(t, administrator)
		})
		t.Run("a new password", func(t *testing.T) {
			h := hold()
			in.SetPassword(id, servertest.Password)
			ended(t, h, false)
		})
		t.Run("turning it off", func(t *testing.T) {
			h := hold()
			disable := func() *servertest.Answer { return h.own.Do("POST", servertest.Security+"/disable", password) }
			fails(t, h, disable)
			disable().Want(http.StatusOK)
			ended(t, h, true)
		})
	})
}

func TestRow36AnAdministratorEndsAnybodys(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		chief := in.Protected("boss@example.test", "administrator")
		boss := in.SignedIn("boss@example.test", chief, servertest.Firefox)
		id := in.AddPerson("Ada", "ada@example.test", "member")
		in.AddPerson("Eve", "eve@example.test", "member")
		path := "/api/v1/users/" + id + "/sessions"
		list := func(client *servertest.Client) []any {
			t.Helper()
			sessions, _ := client.Do("GET", path, nil).Want(http.StatusOK).Body["sessions"].([]any)
			return sessions
		}
		one, two, three := signedIn(in, "ada@example.test"), signedIn(in, "ada@example.test"), signedIn(in, "ada@example.test")
		t.Run("a member nobody's but their own, by any path", func(t *testing.T) {
			eve := signedIn(in, "eve@example.test")
			hers, _ := one.Do("GET", path, nil).Want(http.StatusOK).Body["sessions"].([]any)[0].(map[string]any)["id"].(string)
			eve.Do("GET", path, nil).Refused(http.StatusForbidden, "not_permitted")
			eve.Do("DELETE", path, nil).Refused(http.StatusForbidden, "not_permitted")
			eve.Do("DELETE", path+"/"+hers, nil).Refused(http.StatusForbidden, "not_permitted")
			eve.Do("DELETE", "/api/v1/users/me/sessions/"+hers, nil).Refused(http.StatusNotFound, "no_session")
			alive(t, one)
		})
		t.Run("one, and it is told who", func(t *testing.T) {
			sessions := list(boss)
			if len(sessions) != 3 {
				t.Fatalf("%d sessions", len(sessions))
			}
			for _, session := range sessions {
				if session.(map[string]any)["current"] != false {
					t.Errorf("%v", session)
				}
			}
			last, _ := list(three)[0].(map[string]any)["id"].(string)
			boss.Do("DELETE", path+"/"+last, nil).Want(http.StatusNoContent)
			dead(t, three)
			boss.Do("DELETE", path+"/"+last, nil).Refused(http.StatusNotFound, "no_session")
			alive(t, one)
			alive(t, boss)
			events, _ := one.Do("GET", "/api/v1/users/me/security/events", nil).Want(http.StatusOK).Body["events"].([]any)
			found := false
			for _, one := range events {
				told, _ := one.(map[string]any)
				if told["kind"] == "session.ended" {
					found = told["reason"] == "ended_by_administrator" && told["actor"] == "other" && told["address"] == ""
				}
			}
			if !found {
				t.Errorf("%v", events)
			}
		})
		t.Run("no session of the administrator's own under another's name", func(t *testing.T) {
			own, _ := boss.Do("GET", "/api/v1/users/me/sessions", nil).Want(http.StatusOK).Body["sessions"].([]any)[0].(map[string]any)["id"].(string)
			boss.Do("DELETE", path+"/"+own, nil).Refused(http.StatusNotFound, "no_session")
			boss.Do("GET", "/api/v1/users/01JZZZZZZZZZZZZZZZZZZZZZZZ/sessions", nil).Refused(http.StatusNotFound, "no_user")
			boss.Do("DELETE", "/api/v1/users/01JZZZZZZZZZZZZZZZZZZZZZZZ/sessions", nil).Refused(http.StatusNotFound, "no_user")
		})
		t.Run("with fresh proof, by the app", func(t *testing.T) {
			paper := in.Browser(servertest.Safari)
			paper.Password("boss@example.test").Want(http.StatusOK)
			paper.Code(chief.Codes[0]).Want(http.StatusOK)
			paper.Do("DELETE", path, nil).Refused(http.StatusForbidden, "app_code_required")
			in.Clock.Advance(11 * time.Minute)
			boss.Do("GET", path, nil).Want(http.StatusOK)
			boss.Do("DELETE", path, nil).Refused(http.StatusForbidden, "fresh_proof_required")
			alive(t, one)
			alive(t, two)
		})
		t.Run("all", func(t *testing.T) {
			boss.Prove(chief.Code()).Want(http.StatusOK)
			if ended := boss.Do("DELETE", path, nil).Want(http.StatusOK).Body["ended"]; ended != 2.0 {
				t.Errorf("%v ended", ended)
			}
			dead(t, one)
			dead(t, two)
			alive(t, boss)
			if len(list(boss)) != 0 {
				t.Error("some are left")
			}
		})
	})
}
